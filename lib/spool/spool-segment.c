/* SPDX-License-Identifier: ISC */
/* Files of a spool: the list of segments, reading one whole, replacing a
 * small one in one step, and the system calls behind struct spool_io. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/spool/spool-segment.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

enum { FILE_MAX_BYTES = 128 << 20, READ_STEP = 64 << 10 };

void spool_segments_fini(struct spool_segments *segments)
{
	free(segments->list);
	*segments = (struct spool_segments){ 0 };
}

void spool_segments_add(
    struct spool_segments *segments, const struct spool_segment *segment)
{
	VEC_ROOM(segments->list, segments->count);
	size_t i = segments->count++;
	for (; i > 0 &&
	     spool_place_cmp(
		 segments->list[i - 1].name.first, segment->name.first) > 0;
	     i--)
		segments->list[i] = segments->list[i - 1];
	segments->list[i] = *segment;
}

void spool_segments_remove(struct spool_segments *segments, size_t i)
{
	segments->count--;
	memmove(&segments->list[i], &segments->list[i + 1],
	    (segments->count - i) * sizeof(*segments->list));
}

int spool_file_read(
    const char *dir, const char *name, struct buf *to, struct errmsg *msg)
{
	struct stat st = { 0 };
	char *path = xasprintf("%s/%s", dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int err = fd < 0 || fstat(fd, &st) != 0 ? -errno : 0;
	if (!err && (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX_BYTES))
		err = ERR_LIMIT;
	size_t len = err ? 0 : (size_t)st.st_size;
	uint8_t *at = buf_extend(to, len);
	for (size_t done = 0; done < len;) {
		size_t step = len - done < READ_STEP ? len - done : READ_STEP;
		ssize_t n = pread(fd, at + done, step, (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			memset(at + done, 0, step);
		done += n > 0 ? (size_t)n : step;
	}
	if (fd >= 0)
		close(fd);
	if (err)
		err_set(msg, err, "%.200s: %s", path, err_str(err));
	free(path);
	return err;
}

int spool_write_all(
    const struct spool_io *io, int fd, const void *data, size_t len)
{
	const uint8_t *p = data;
	while (len > 0) {
		long n = io->write(io->ctx, fd, p, len);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_synced(
    const struct spool_io *io, int fd, const struct buf *content)
{
	int err = spool_write_all(io, fd, content->data, content->len);
	if (err < 0)
		return err;
	return io->fsync(io->ctx, fd);
}

int spool_file_replace(const struct spool_io *io, const char *dir,
    const char *name, const struct buf *content, struct errmsg *msg)
{
	char *tmp = xasprintf("%s/%s.tmp", dir, name);
	char *path = xasprintf("%s/%s", dir, name);
	int fd = io->open(io->ctx, tmp, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int err = fd;
	if (fd < 0)
		goto out;
	err = write_synced(io, fd, content);
	io->close(io->ctx, fd);
	if (err == 0)
		err = io->rename(io->ctx, tmp, path);
	if (err < 0) {
		io->unlink(io->ctx, tmp);
		goto out;
	}
	err = io->fsync_dir(io->ctx, dir);
out:
	if (err < 0)
		err_set(msg, err, "%.200s: %s", path, err_str(err));
	free(tmp);
	free(path);
	return err;
}

static int posix_open(void *ctx, const char *path, int flags, int mode)
{
	(void)ctx;
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, mode);
	return fd < 0 ? -errno : fd;
}

static long posix_write(void *ctx, int fd, const void *data, size_t len)
{
	(void)ctx;
	ssize_t n = write(fd, data, len);
	return n < 0 ? -errno : n;
}

static int posix_fsync(void *ctx, int fd)
{
	(void)ctx;
	return fdatasync(fd) != 0 ? -errno : 0;
}

static int posix_fsync_dir(void *ctx, const char *dir)
{
	(void)ctx;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int err = fsync(fd) != 0 ? -errno : 0;
	close(fd);
	return err;
}

static int posix_rename(void *ctx, const char *from, const char *to)
{
	(void)ctx;
	return rename(from, to) != 0 ? -errno : 0;
}

static int posix_unlink(void *ctx, const char *path)
{
	(void)ctx;
	return unlink(path) != 0 ? -errno : 0;
}

static int posix_ftruncate(void *ctx, int fd, int64_t len)
{
	(void)ctx;
	return ftruncate(fd, (off_t)len) != 0 ? -errno : 0;
}

static int posix_close(void *ctx, int fd)
{
	(void)ctx;
	return close(fd) != 0 ? -errno : 0;
}

const struct spool_io spool_io_posix = {
	.open = posix_open,
	.write = posix_write,
	.fsync = posix_fsync,
	.fsync_dir = posix_fsync_dir,
	.rename = posix_rename,
	.unlink = posix_unlink,
	.ftruncate = posix_ftruncate,
	.close = posix_close,
};
