/* SPDX-License-Identifier: ISC */
/*
 * The bound on disk.  What does not fit is dropped by class, oldest first, and
 * every number that goes is declared in a gap record.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "lib/spool/spool-writer.h"
#include "lib/base/xalloc.h"

uint64_t spool_bytes_on_disk(const struct spool *spool)
{
	uint64_t sum = spool->quarantine_bytes;
	for (size_t i = 0; i < spool->segments.count; i++)
		sum += spool->segments.list[i].bytes;
	for (int c = 0; c < SPOOL_CLASSES; c++)
		if (spool->open[c].fd >= 0)
			sum += spool->open[c].segment.bytes;
	return sum;
}

/* Room that only gap records may use. */
static uint64_t reserve_bytes(const struct spool *spool)
{
	uint64_t part = spool->max_bytes / 8;
	return part < SPOOL_FRAME_MAX ? part : SPOOL_FRAME_MAX;
}

int spool_declare_pending(struct spool *spool)
{
	int err = 0;
	size_t declared_count = 0;
	spool_ranges_join(&spool->pending);
	while (!err && declared_count < spool->pending.count) {
		struct buf record = { 0 };
		uint64_t lost;
		size_t n = spool_gap_pack(
		    &spool->pending, declared_count, &record, &lost);
		err = spool_frame_append(spool, SPOOL_ALERTS, SPOOL_FLAG_GAP,
		    record.data, record.len);
		buf_fini(&record);
		if (err)
			break;
		declared_count += n;
		spool->stats.lost += lost;
	}
	spool->pending.count -= declared_count;
	memmove(spool->pending.list, spool->pending.list + declared_count,
	    spool->pending.count * sizeof(*spool->pending.list));
	return err;
}

/* Every number of a segment, and what its gap records declare: a record must
 * declare that again. */
static void gone_find(struct spool *spool, const struct spool_segment *s,
    struct spool_ranges *gone, uint64_t *records)
{
	char name[SPOOL_NAME_LEN];
	struct buf bytes = { 0 };
	struct spool_frame frame;
	spool_name_text(&s->name, name);
	spool_file_read(spool->dir, name, &bytes, NULL);
	struct spool_scan scan = spool_scan_init(bytes.data, bytes.len,
	    SPOOL_HEADER_LEN, spool_seed(spool->agent, s->name.first.epoch));
	*records = 0;
	while (spool_scan_next(&scan, &frame) && frame.seq <= s->last_seq) {
		struct spool_range r = { s->name.first.epoch, frame.seq,
			frame.seq, SPOOL_REASON_FULL };
		struct spool_place at = { r.epoch, r.from };
		if (spool_place_cmp(at, spool->acked) < 0)
			continue;
		spool_ranges_add(gone, &r);
		++*records;
		if (frame.flags & SPOOL_FLAG_GAP)
			spool_gap_read(gone, frame.payload, frame.len);
	}
	buf_fini(&bytes);
}

/* Removes a closed segment.  Its gap is declared and synced before the file
 * goes: a crash in between leaves a file whose records are declared lost, and
 * recovery ends the work.  Only on a full disk, where declaring needs the
 * very room that the file takes, it is the other way round. */
static bool drop_segment(struct spool *spool, struct spool_segment s)
{
	char *path = spool_path(spool, &s.name, "");
	struct spool_ranges gone = { 0 };
	uint64_t records;
	gone_find(spool, &s, &gone, &records);
	for (size_t i = 0; i < gone.count; i++)
		spool_ranges_add(&spool->pending, &gone.list[i]);
	spool_ranges_fini(&gone);
	int err = spool_declare_pending(spool);
	if (!err)
		err = spool_active_sync(spool, NULL);
	bool removed = spool->io->unlink(spool->io->ctx, path) == 0;
	if (removed && err)
		spool->io->fsync_dir(spool->io->ctx, spool->dir);
	for (size_t i = 0; removed && i < spool->segments.count; i++)
		if (spool->segments.list[i].name.class == s.name.class &&
		    spool_place_cmp(
			spool->segments.list[i].name.first, s.name.first) == 0)
			spool_segments_remove(&spool->segments, i);
	spool->stats.dropped += removed ? records : 0;
	free(path);
	return removed;
}

static bool drop_quarantine(struct spool *spool)
{
	struct dirent **names;
	int n = scandir(spool->dir, &names, NULL, NULL);
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;
		size_t len = strlen(name);
		if (len > 4 && strcmp(name + len - 4, ".bad") == 0) {
			char *path = xasprintf("%s/%s", spool->dir, name);
			spool->io->unlink(spool->io->ctx, path);
			free(path);
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	spool->quarantine_bytes = 0;
	return true;
}

/* The segment that a class writes to becomes a closed one, to be dropped. */
static bool detach(struct spool *spool, struct open_segment *o)
{
	if (o->fd < 0 || spool_segment_is_empty(&o->segment))
		return false;
	spool->io->close(spool->io->ctx, o->fd);
	o->fd = -1;
	o->failed = false;
	buf_clear(&o->unsynced);
	spool_segments_add(&spool->segments, &o->segment);
	return true;
}

static bool drop_class(struct spool *spool, int class)
{
	for (int tries = 0; tries < 2; tries++) {
		for (size_t i = 0; i < spool->segments.count; i++)
			if ((int)spool->segments.list[i].name.class == class)
				return drop_segment(
				    spool, spool->segments.list[i]);
		if (!detach(spool, &spool->open[class]))
			return false;
	}
	return false;
}

bool spool_drop_one(struct spool *spool, enum spool_class most)
{
	if (spool->quarantine_bytes)
		return drop_quarantine(spool);
	for (int c = 0; c <= (int)most; c++)
		if (drop_class(spool, c))
			return true;
	return false;
}

int spool_make_room(struct spool *spool, enum spool_class class, uint64_t need)
{
	uint64_t bound = spool->max_bytes - reserve_bytes(spool);
	while (spool_bytes_on_disk(spool) + need > bound)
		if (need > bound || !spool_drop_one(spool, class))
			return ERR_LIMIT;
	return 0;
}
