/* SPDX-License-Identifier: ISC */
/*
 * The segments that are written to.  Every frame is kept in memory until a
 * sync has made it safe, so that a file whose fsync failed is never trusted
 * again: its records are written once more, to another file.
 */
#include <fcntl.h>
#include <stdlib.h>

#include "lib/spool/spool-writer.h"
#include "lib/base/xalloc.h"

enum { UNSYNCED_KEEP = 256 << 10 /* memory that stays for the next burst */ };

char *spool_path(const struct spool *spool, const struct spool_name *name,
    const char *suffix)
{
	char text[SPOOL_NAME_LEN];
	spool_name_text(name, text);
	return xasprintf("%s/%s%s", spool->dir, text, suffix);
}

int spool_fail(
    const struct spool *spool, int err, const char *what, struct errmsg *msg)
{
	return err_set(
	    msg, err, "spool %.150s: %s: %s", spool->dir, what, err_str(err));
}

bool spool_segment_is_empty(const struct spool_segment *segment)
{
	return segment->last_seq < segment->name.first.seq;
}

static int segment_create(struct spool *spool, enum spool_class class)
{
	struct open_segment *o = &spool->open[class];
	struct spool_segment segment = { .name = { spool->next, class },
		.last_seq = spool->next.seq - 1,
		.bytes = SPOOL_HEADER_LEN };
	char *path = spool_path(spool, &segment.name, "");
	struct buf header = { 0 };
	spool_header_put(&header, spool->agent, &segment.name);
	int fd = spool->io->open(
	    spool->io->ctx, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	int err = fd;
	if (fd < 0)
		goto out;
	err = spool_write_all(spool->io, fd, header.data, header.len);
	if (err < 0) {
		spool->io->close(spool->io->ctx, fd);
		spool->io->unlink(spool->io->ctx, path);
		goto out;
	}
	o->fd = fd;
	o->segment = o->synced = segment;
	o->synced.bytes = 0;
	o->failed = false;
	spool->dir_dirty = true;
out:
	buf_fini(&header);
	free(path);
	return err;
}

/* Everything in it is synced. */
static void segment_close(struct spool *spool, struct open_segment *o)
{
	spool->io->close(spool->io->ctx, o->fd);
	o->fd = -1;
	spool_segments_add(&spool->segments, &o->segment);
}

/* The old file keeps what was synced in it, if anything; it is cut only after
 * the rest is readable under its new name.  heir: that name, or NULL. */
static void segment_retire(
    struct spool *spool, struct open_segment *o, const struct spool_name *heir)
{
	if (spool_segment_is_empty(&o->synced)) {
		char *path = spool_path(spool, &o->segment.name, "");
		if (!heir || heir->first.seq != o->segment.name.first.seq)
			spool->io->unlink(spool->io->ctx, path);
		free(path);
	} else {
		if (spool->io->ftruncate(
			spool->io->ctx, o->fd, (int64_t)o->synced.bytes) != 0)
			o->synced.bytes = o->segment.bytes;
		spool_segments_add(&spool->segments, &o->synced);
	}
	spool->io->close(spool->io->ctx, o->fd);
	o->fd = -1;
}

/* Writes what is not synced again, to a file that has not failed.  When
 * nothing in the old file was synced, the new one takes its name. */
static int segment_reroll(struct spool *spool, enum spool_class class)
{
	struct open_segment *o = &spool->open[class];
	struct spool_segment segment = o->segment;
	struct buf content = { 0 };
	segment.name.first.seq = o->first_unsynced;
	spool_header_put(&content, spool->agent, &segment.name);
	buf_bytes(&content, o->unsynced.data, o->unsynced.len);
	segment.bytes = content.len;
	char *path = spool_path(spool, &segment.name, "");
	char *tmp = spool_path(spool, &segment.name, ".tmp");
	int fd = spool->io->open(
	    spool->io->ctx, tmp, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int err = fd;
	if (fd < 0)
		goto out;
	err = spool_write_all(spool->io, fd, content.data, content.len);
	if (err < 0)
		goto failed;
	err = spool->io->fsync(spool->io->ctx, fd);
	if (err < 0)
		goto failed;
	err = spool->io->rename(spool->io->ctx, tmp, path);
	if (err < 0)
		goto failed;
	segment_retire(spool, o, &segment.name);
	o->fd = fd;
	o->segment = o->synced = segment;
	o->synced.last_seq = segment.name.first.seq - 1;
	o->failed = false;
	spool->dir_dirty = true;
	goto out;
failed:
	spool->io->close(spool->io->ctx, fd);
	spool->io->unlink(spool->io->ctx, tmp);
out:
	buf_fini(&content);
	free(path);
	free(tmp);
	return err;
}

static int sync_files(struct spool *spool, struct errmsg *msg)
{
	for (int c = 0; c < SPOOL_CLASSES; c++) {
		struct open_segment *o = &spool->open[c];
		if (o->unsynced.len == 0)
			continue;
		if (!o->failed && spool->io->fsync(spool->io->ctx, o->fd) != 0)
			o->failed = true;
		if (!o->failed)
			continue;
		int err = segment_reroll(spool, (enum spool_class)c);
		if (err)
			return spool_fail(spool, err, "sync", msg);
	}
	return 0;
}

int spool_active_sync(struct spool *spool, struct errmsg *msg)
{
	int err = sync_files(spool, msg);
	if (err)
		return err;
	if (spool->dir_dirty) {
		err = spool->io->fsync_dir(spool->io->ctx, spool->dir);
		/* Its entries are as doubtful as data: write them again. */
		for (int c = 0; err && c < SPOOL_CLASSES; c++)
			if (spool->open[c].unsynced.len)
				spool->open[c].failed = true;
		if (err)
			return spool_fail(
			    spool, err, "sync of the folder", msg);
		spool->dir_dirty = false;
	}
	for (int c = 0; c < SPOOL_CLASSES; c++) {
		struct open_segment *o = &spool->open[c];
		o->synced = o->segment;
		if (o->unsynced.cap > UNSYNCED_KEEP)
			buf_fini(&o->unsynced);
		buf_clear(&o->unsynced);
	}
	return 0;
}

/* Makes the class ready to take len more bytes. */
static int segment_prepare(
    struct spool *spool, enum spool_class class, size_t len)
{
	struct open_segment *o = &spool->open[class];
	int err = 0;
	if (o->fd >= 0 && o->failed && o->unsynced.len)
		err = segment_reroll(spool, class);
	else if (o->fd >= 0 && o->failed)
		segment_retire(spool, o, NULL);
	if (err < 0)
		return err;
	if (o->fd >= 0 && !spool_segment_is_empty(&o->segment) &&
	    o->segment.bytes + len > spool->segment_bytes) {
		err = spool_active_sync(spool, NULL);
		if (!err)
			segment_close(spool, o);
	}
	if (err < 0)
		return err;
	if (o->fd < 0)
		err = segment_create(spool, class);
	return err;
}

int spool_frame_append(struct spool *spool, enum spool_class class,
    uint16_t flags, const void *record, size_t len)
{
	struct open_segment *o = &spool->open[class];
	struct buf bytes = { 0 };
	int err = segment_prepare(spool, class, len + SPOOL_FRAME_EXTRA);
	if (err)
		return err;
	struct spool_frame frame = { class, flags, spool->next.seq,
		monotime_now(), walltime_now(), record, (uint32_t)len };
	spool_frame_put(
	    &bytes, spool_seed(spool->agent, spool->next.epoch), &frame);
	err = spool_write_all(spool->io, o->fd, bytes.data, bytes.len);
	if (err) {
		/* Half a frame may be there: cut it off, or leave the file. */
		if (spool->io->ftruncate(
			spool->io->ctx, o->fd, (int64_t)o->segment.bytes) != 0)
			o->failed = true;
	} else {
		if (o->unsynced.len == 0)
			o->first_unsynced = frame.seq;
		buf_bytes(&o->unsynced, bytes.data, bytes.len);
		o->segment.bytes += bytes.len;
		o->segment.last_seq = frame.seq;
		spool->next.seq++;
	}
	buf_fini(&bytes);
	return err;
}
