/* SPDX-License-Identifier: ISC */
/*
 * The writer's state and the pieces it is made of: lib/spool/spool-write.c
 * writes segments and makes them safe, lib/spool/spool-quota.c makes room,
 * lib/spool/spool.c is the contract.  Private to lib/spool/.
 */
#pragma once

#include "lib/spool/spool-segment.h"

/* The segment that a class writes to. */
struct open_segment {
	int fd; /* -1: none */
	struct spool_segment segment;
	struct spool_segment synced; /* as of the last sync */
	struct buf unsynced;         /* frames since then */
	uint64_t first_unsynced;
	bool failed; /* what was not synced must go to another file */
};

struct spool {
	char *dir;
	uint8_t agent[16];
	const struct spool_io *io;
	uint64_t max_bytes, segment_bytes;
	int lock_fd;
	struct spool_place next, acked;
	struct spool_segments segments; /* closed ones */
	struct open_segment open[SPOOL_CLASSES];
	struct spool_ranges pending; /* gone, not yet declared */
	uint64_t quarantine_bytes;
	bool dir_dirty, forked;
	struct spool_stats stats;
};

/* The path of a segment, with a suffix; the caller frees. */
char *spool_path(const struct spool *spool, const struct spool_name *name,
    const char *suffix);
/* Sets "spool DIR: what: why" and returns err. */
int spool_fail(
    const struct spool *spool, int err, const char *what, struct errmsg *msg);
bool spool_segment_is_empty(const struct spool_segment *segment);

/* Writes one frame with the next number, or takes no number. */
int spool_frame_append(struct spool *spool, enum spool_class class,
    uint16_t flags, const void *record, size_t len);
/* Makes safe all that was appended. */
int spool_active_sync(struct spool *spool, struct errmsg *msg);

uint64_t spool_bytes_on_disk(const struct spool *spool);
/* Drops the oldest segment of the lowest class, none above `most`; its
 * numbers become pending.  False when there is none. */
bool spool_drop_one(struct spool *spool, enum spool_class most);
/* Drops segments until `need` bytes fit the bound. */
int spool_make_room(struct spool *spool, enum spool_class class, uint64_t need);
/* Declares what is gone; what cannot be declared now stays pending, and the
 * next recovery sees it from the numbers alone. */
int spool_declare_pending(struct spool *spool);
