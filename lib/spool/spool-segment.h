/* SPDX-License-Identifier: ISC */
/* Segment files and what recovery makes of a folder.  Private to
 * lib/spool/. */
#pragma once

#include "lib/spool/spool-gap.h"

struct spool_segment {
	struct spool_name name;
	uint64_t last_seq; /* of its last record; first - 1 when empty */
	uint64_t bytes;    /* on disk */
};

struct spool_segments {
	struct spool_segment *list; /* owned; ordered by name.first */
	size_t count;
};
void spool_segments_fini(struct spool_segments *segments);
void spool_segments_add(
    struct spool_segments *segments, const struct spool_segment *segment);
void spool_segments_remove(struct spool_segments *segments, size_t i);

/* A whole file in memory.  What the disk cannot read any more is zeros, which
 * no checksum takes for a frame. */
int spool_file_read(
    const char *dir, const char *name, struct buf *to, struct errmsg *msg);

/* Writes all of it, through short writes. */
int spool_write_all(
    const struct spool_io *io, int fd, const void *data, size_t len);
/* Puts a small file there in one step: temporary name, fsync, rename, fsync
 * of the folder. */
int spool_file_replace(const struct spool_io *io, const char *dir,
    const char *name, const struct buf *content, struct errmsg *msg);

/* What is in a folder, after repair. */
struct spool_found {
	struct spool_segments segments;
	struct spool_ranges present;  /* joined: numbers that are there */
	struct spool_ranges declared; /* joined: that gap records declare */
	struct spool_ranges corrupt;  /* joined: spans where bytes were bad */
	uint64_t epoch_max;           /* of any name that was seen */
	uint64_t quarantine_bytes;    /* of *.bad files */
	uint64_t torn, quarantined;
	bool foreign; /* another agent's segments were here */
};
void spool_found_fini(struct spool_found *found);

/* Repairs the folder: cuts torn tails, quarantines what is corrupt and keeps
 * its valid records, removes what lies wholly below the mark and what a crash
 * left half-made. */
int spool_recover(struct spool_found *found, const struct spool_config *config,
    struct spool_place acked, struct errmsg *msg);
