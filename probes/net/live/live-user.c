/* SPDX-License-Identifier: ISC */
#include "probes/net/live/live-user.h"

#include <sys/stat.h>
#include <unistd.h>

#include "probes/sandbox/sandbox.h"

static uint32_t becomes;

void live_user_becomes(uint32_t uid)
{
	becomes = uid;
}

void live_user_give(int fd)
{
	/* live_user_differs tells where it could not be. */
	if (fchown(fd, sandbox_user(becomes), (gid_t)-1) != 0)
		return;
}

bool live_user_differs(int fd, uint32_t *uid)
{
	struct stat socket;
	if (fstat(fd, &socket) != 0)
		return false;
	*uid = socket.st_uid;
	return *uid != sandbox_user(becomes);
}
