/* SPDX-License-Identifier: ISC */
/*
 * The writer's contract.  A record is written through at append, in the order
 * of the numbers over all classes: a reader that sees number n+1 knows that n
 * was there or is gone for good.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/spool/spool-writer.h"
#include "lib/base/xalloc.h"

enum {
	SEGMENT_DEFAULT = 8 << 20,
	SEGMENT_MAX = 64 << 20,
	MAX_BYTES_LEAST = 16 << 10,
	UNSYNCED_MAX = 1 << 20, /* then an append syncs by itself */
};

/* --- append --- */

static int declare_and_append(
    struct spool *spool, enum spool_class class, const void *record, size_t len)
{
	int err = spool->pending.count ? spool_declare_pending(spool) : 0;
	return err ? err : spool_frame_append(spool, class, 0, record, len);
}

int spool_append(struct spool *spool, enum spool_class class,
    const void *record, size_t len, uint64_t *seq, struct errmsg *msg)
{
	size_t unsynced = 0;
	if (len > RECORD_MAX_BYTES)
		return spool_fail(spool, ERR_LIMIT, "append", msg);
	for (int c = 0; c < SPOOL_CLASSES; c++)
		unsynced += spool->open[c].unsynced.len;
	if (unsynced > UNSYNCED_MAX) {
		int err = spool_active_sync(spool, msg);
		if (err)
			return err;
	}
	int err = spool_make_room(
	    spool, class, len + SPOOL_FRAME_EXTRA + SPOOL_HEADER_LEN);
	if (!err)
		err = declare_and_append(spool, class, record, len);
	while (
	    (err == -ENOSPC || err == -EDQUOT) && spool_drop_one(spool, class))
		err = declare_and_append(spool, class, record, len);
	if (err)
		return spool_fail(spool, err, "append", msg);
	*seq = spool->next.seq - 1;
	spool->stats.appended++;
	return 0;
}

int spool_sync(struct spool *spool, struct errmsg *msg)
{
	if (spool->pending.count)
		spool_declare_pending(spool);
	return spool_active_sync(spool, msg);
}

/* --- marks ---------------------------------------------------------------- */

static int mark_write(struct spool *spool, const char *name,
    struct spool_place place, struct errmsg *msg)
{
	struct buf b = { 0 };
	spool_mark_put(&b, place);
	int err = spool_file_replace(spool->io, spool->dir, name, &b, msg);
	buf_fini(&b);
	return err;
}

int spool_ack(
    struct spool *spool, uint64_t epoch, uint64_t next_seq, struct errmsg *msg)
{
	struct spool_place place = { epoch, next_seq };
	if (spool_place_cmp(place, spool->next) > 0) {
		spool->forked = true;
		return spool_fail(spool, ERR_FORKED, "ack", msg);
	}
	if (spool_place_cmp(place, spool->acked) <= 0)
		return 0;
	int err = mark_write(spool, "ack", place, msg);
	if (err)
		return err;
	spool->acked = place;
	for (size_t i = spool->segments.count; i-- > 0;) {
		const struct spool_segment *s = &spool->segments.list[i];
		struct spool_place last = { s->name.first.epoch, s->last_seq };
		if (spool_place_cmp(last, place) >= 0)
			continue;
		char *path = spool_path(spool, &s->name, "");
		if (spool->io->unlink(spool->io->ctx, path) == 0)
			spool_segments_remove(&spool->segments, i);
		free(path);
	}
	return 0;
}

void spool_stats(const struct spool *spool, struct spool_stats *stats)
{
	*stats = spool->stats;
	stats->epoch = spool->next.epoch;
	stats->next_seq = spool->next.seq;
	stats->acked_seq =
	    spool->acked.epoch == spool->next.epoch ? spool->acked.seq : 1;
	stats->bytes = spool_bytes_on_disk(spool);
}

/* --- open and close ------------------------------------------------------- */

static int folder_lock(struct spool *spool, struct errmsg *msg)
{
	struct stat st;
	char *path = xasprintf("%s/lock", spool->dir);
	if (stat(spool->dir, &st) != 0 && mkdir(spool->dir, 0700) == 0) {
		char *parent = xasprintf("%s/..", spool->dir);
		spool->io->fsync_dir(spool->io->ctx, parent);
		free(parent);
	}
	spool->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int err = 0;
	if (spool->lock_fd < 0)
		err = spool_fail(spool, -errno, "lock", msg);
	else if (flock(spool->lock_fd, LOCK_EX | LOCK_NB) != 0)
		err = err_set(msg, -EBUSY,
		    "spool %.150s: another process writes to it", spool->dir);
	free(path);
	return err;
}

/* The highest number of an epoch that anything knows of, or 0. */
static uint64_t last_known(const struct spool_found *found, uint64_t epoch,
    struct spool_place acked, struct spool_place closed)
{
	uint64_t last = 0;
	for (size_t i = 0; i < found->present.count; i++)
		if (found->present.list[i].epoch == epoch)
			last = found->present.list[i].to;
	if (acked.epoch == epoch && acked.seq > last + 1)
		last = acked.seq - 1;
	if (closed.epoch == epoch && closed.seq > last + 1)
		last = closed.seq - 1;
	return last;
}

/* Numbers of one epoch, from the first not acked on, that are neither there
 * nor declared. */
static void holes_find(struct spool *spool, const struct spool_found *found,
    uint64_t epoch, struct spool_place closed)
{
	struct spool_ranges missing = { 0 }, undeclared = { 0 };
	struct spool_range all = { epoch, 1,
		last_known(found, epoch, spool->acked, closed),
		SPOOL_REASON_MISSING };
	if (epoch == spool->acked.epoch)
		all.from = spool->acked.seq;
	if (all.from <= all.to)
		spool_ranges_subtract(&found->present, &all, &missing);
	for (size_t i = 0; i < missing.count; i++)
		spool_ranges_subtract(
		    &found->declared, &missing.list[i], &undeclared);
	for (size_t i = 0; i < undeclared.count; i++) {
		struct spool_range *r = &undeclared.list[i];
		if (spool_ranges_overlap(&found->corrupt, r))
			r->reason = SPOOL_REASON_CORRUPT;
		spool_ranges_add(&spool->pending, r);
	}
	spool_ranges_fini(&missing);
	spool_ranges_fini(&undeclared);
}

static void holes_find_all(struct spool *spool, const struct spool_found *found,
    struct spool_place closed)
{
	uint64_t done = 0;
	if (closed.seq && closed.epoch >= spool->acked.epoch) {
		holes_find(spool, found, closed.epoch, closed);
		done = closed.epoch;
	}
	for (size_t i = 0; i < found->present.count; i++) {
		uint64_t epoch = found->present.list[i].epoch;
		bool again = i && found->present.list[i - 1].epoch == epoch;
		if (epoch >= spool->acked.epoch && epoch != done && !again)
			holes_find(spool, found, epoch, closed);
	}
}

static uint64_t epoch_new(const struct spool_found *found,
    struct spool_place acked, struct spool_place closed)
{
	uint64_t most = found->epoch_max;
	int64_t now_s = walltime_now().ns / NS_PER_S;
	if (acked.epoch > most)
		most = acked.epoch;
	if (closed.epoch > most)
		most = closed.epoch;
	/* The clock is only a floor, for an agent whose folder was wiped and
	 * whose collector remembers it. */
	if (now_s > 0 && (uint64_t)now_s > most + 1)
		return (uint64_t)now_s;
	return most + 1;
}

/* Decides where numbering goes on.  closed: the epoch mark, {0, 0} when it
 * could not be read; its seq is 0 when the spool was not closed. */
static int numbering_start(struct spool *spool, const struct spool_found *found,
    struct spool_place closed, bool ack_known, struct errmsg *msg)
{
	bool clean = closed.seq > 0 && ack_known && !found->foreign &&
	    found->torn == 0 && found->quarantined == 0 &&
	    last_known(found, closed.epoch, spool->acked,
		(struct spool_place){ 0, 0 }) +
		    1 ==
		closed.seq;
	spool->next = closed;
	if (!clean)
		spool->next = (struct spool_place){
			epoch_new(found, spool->acked, closed), 1
		};
	if (!ack_known) {
		spool->acked = spool->next;
		if (found->present.count)
			spool->acked =
			    (struct spool_place){ found->present.list[0].epoch,
				    found->present.list[0].from };
		int err = mark_write(spool, "ack", spool->acked, msg);
		if (err)
			return err;
	}
	struct spool_place running = { spool->next.epoch, 0 };
	return mark_write(spool, "epoch", running, msg);
}

static int open_all(
    struct spool *spool, const struct spool_config *config, struct errmsg *msg)
{
	struct spool_found found;
	struct spool_place closed = { 0, 0 };
	int err = folder_lock(spool, msg);
	if (err)
		return err;
	bool ack_known =
	    spool_mark_read(spool->dir, "ack", &spool->acked, NULL) == 0;
	spool_mark_read(spool->dir, "epoch", &closed, NULL);
	err = spool_recover(&found, config, spool->acked, msg);
	if (err)
		return err;
	spool->quarantine_bytes = found.quarantine_bytes;
	spool->stats.recovered_torn = found.torn;
	spool->stats.quarantined = found.quarantined;
	err = numbering_start(spool, &found, closed, ack_known, msg);
	if (!err)
		holes_find_all(spool, &found, closed);
	spool->segments = found.segments;
	found.segments = (struct spool_segments){ 0 };
	spool_found_fini(&found);
	return err ? err : spool_sync(spool, msg);
}

int spool_open(
    struct spool **spool, const struct spool_config *config, struct errmsg *msg)
{
	*spool = NULL;
	if (config->max_bytes < MAX_BYTES_LEAST)
		return err_set(msg, ERR_LIMIT,
		    "spool %.150s: expected a bound "
		    "of at least %d bytes, got %llu",
		    config->dir, MAX_BYTES_LEAST,
		    (unsigned long long)config->max_bytes);
	struct spool *s = xcalloc(1, sizeof(*s));
	s->dir = xstrdup(config->dir);
	memcpy(s->agent, config->agent, 16);
	s->io = config->io ? config->io : &spool_io_posix;
	s->max_bytes = config->max_bytes;
	s->segment_bytes =
	    config->segment_bytes ? config->segment_bytes : SEGMENT_DEFAULT;
	if (s->segment_bytes > SEGMENT_MAX)
		s->segment_bytes = SEGMENT_MAX;
	/* Each class has one open; more must be closed to be dropped. */
	if (s->segment_bytes > s->max_bytes / 4)
		s->segment_bytes = s->max_bytes / 4;
	s->lock_fd = -1;
	for (int c = 0; c < SPOOL_CLASSES; c++)
		s->open[c].fd = -1;
	int err = open_all(s, config, msg);
	if (err) {
		s->forked = true; /* no mark of a clean close */
		spool_close(s);
		s = NULL;
	}
	*spool = s;
	return err;
}

void spool_close(struct spool *spool)
{
	if (!spool)
		return;
	if (!spool->forked && spool_sync(spool, NULL) == 0 &&
	    spool->pending.count == 0)
		mark_write(spool, "epoch", spool->next, NULL);
	for (int c = 0; c < SPOOL_CLASSES; c++) {
		if (spool->open[c].fd >= 0)
			spool->io->close(spool->io->ctx, spool->open[c].fd);
		buf_fini(&spool->open[c].unsynced);
	}
	if (spool->lock_fd >= 0)
		close(spool->lock_fd);
	spool_segments_fini(&spool->segments);
	spool_ranges_fini(&spool->pending);
	free(spool->dir);
	free(spool);
}
