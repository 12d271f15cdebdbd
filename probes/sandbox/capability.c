/* SPDX-License-Identifier: ISC */
#include "probes/sandbox/capability.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

bool capability_has(unsigned cap)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct has[2] = { 0 };
	return syscall(SYS_capget, &head, has) == 0 &&
	    (has[cap / 32].effective & 1u << cap % 32) != 0;
}
