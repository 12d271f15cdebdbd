/* SPDX-License-Identifier: ISC */
/* A file of 16-byte ids; a torn last one is cut off when it is opened. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "probes/agent/supervisor/oneshot-log.h"

#define ID 16

struct once {
	int fd;
	char *path;
	uint8_t (*ids)[ID]; /* ONCE_MOST of them */
	size_t count;
};

static int fail_log(const struct once *o, struct errmsg *msg)
{
	int err = -errno;
	return err_set(msg, err, "%.180s: %s", o->path, strerror(-err));
}

int once_open(struct once **once, const char *path, struct errmsg *msg)
{
	struct once *o = xcalloc(1, sizeof(*o));
	o->path = xstrdup(path);
	o->ids = xcalloc(ONCE_MOST, ID);
	o->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ssize_t n =
	    o->fd < 0 ? -1 : read(o->fd, o->ids, (size_t)ONCE_MOST * ID);
	if (n < 0 || ftruncate(o->fd, n / ID * ID) != 0 ||
	    lseek(o->fd, n / ID * ID, SEEK_SET) < 0) {
		int err = fail_log(o, msg);
		once_close(o);
		return err;
	}
	o->count = (size_t)n / ID;
	*once = o;
	return 0;
}

void once_close(struct once *once)
{
	if (!once)
		return;
	if (once->fd >= 0)
		close(once->fd);
	free(once->path);
	free(once->ids);
	free(once);
}

bool once_has(const struct once *once, const uint8_t id[static 16])
{
	for (size_t i = 0; i < once->count; i++)
		if (memcmp(once->ids[i], id, ID) == 0)
			return true;
	return false;
}

/* In place: a crash in the middle forgets at most what is old. */
static int forget_half(struct once *o)
{
	size_t half = o->count / 2;
	memmove(o->ids, o->ids + o->count - half, half * ID);
	o->count = half;
	if (pwrite(o->fd, o->ids, half * ID, 0) != (ssize_t)(half * ID) ||
	    ftruncate(o->fd, (off_t)(half * ID)) != 0 ||
	    lseek(o->fd, 0, SEEK_END) < 0)
		return -1;
	return 0;
}

int once_add(struct once *once, const uint8_t id[static 16], struct errmsg *msg)
{
	if (once->count == ONCE_MOST && forget_half(once) != 0)
		return fail_log(once, msg);
	if (write(once->fd, id, ID) != ID || fdatasync(once->fd) != 0)
		return fail_log(once, msg);
	memcpy(once->ids[once->count++], id, ID);
	return 0;
}
