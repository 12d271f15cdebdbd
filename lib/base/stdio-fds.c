/* SPDX-License-Identifier: ISC */
/* Lowest first, so that each open(2) gets the number that is missing. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/base/stdio-fds.h"

int standard_fds_open(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", mode) != fd)
			return errno ? -errno : -EBADF;
	}
	return 0;
}
