/* SPDX-License-Identifier: ISC */
/*
 * What a gather holds, shared by the files of this folder.
 *
 * Rows are gathered in one set; another is frozen and goes to the disk,
 * meanwhile, in whichever thread flushes: a chore's, or a reader's that wants
 * to see the newest rows.  `lock` is of what a batch adds to and is never held
 * over I/O; `disk` is of rollup.db and the frozen set.  Who needs both takes
 * `disk` first.
 */
#pragma once

#include <pthread.h>

#include "analysis/path.h"
#include "collector/store/sqlite/rollup/gather.h"
#include "collector/store/sqlite/rollup/sources.h"
#include "lib/base/clock.h"
#include "lib/sketch/hash-index.h"
#include "lib/sqlite/db-files.h"
#include "lib/sqlite/db-schema.h"

/* What one agent may make; what is above is counted under MORE. */
#define AGENT_CLASSES_MOST 256u
#define CLASSES_MOST 4096u
#define AGENT_PATHS_MOST 65536u
#define PATHS_MOST 524288u
#define AGENT_CAMPAIGNS_MOST 4096u
#define AGENT_RUNS_KEPT 100000
#define AGENT_RUNS_PENDING 16384u
#define RUNS_CHECK 10000 /* of an agent, before its oldest are counted */
#define AGENT_PAYLOADS_DAY 1024u
#define PAYLOADS_MOST_BYTES (64u << 20)
#define AGENT_GAPS_DAY 4096u
#define AGENT_HOURS_MOST 512u /* between two flushes */
#define AGENT_WATCH_MOST 1024u
#define AGENT_REASONS_MOST 64u /* why probes did not leave */
#define MORE "(more)"
#define MORE_VERDICT "other"

/* Of sources, of paths in a set. */
#define GATHER_ROWS_MOST (64u << 10)
#define GATHER_BYTES_MOST (16u << 20)

struct class_name {
	char *verdict, *signature; /* they stay where they are */
	int64_t agent;             /* who made it */
	uint64_t packets;
	int64_t first_ns, last_ns;
	bool sources_at_least; /* some came without their address */
	bool changed;
};

struct watch_span {
	int64_t from_ns, to_ns;
	bool exact; /* of a short bin its middle, not any of it */
};

struct gather_agent {
	int64_t row;
	uint8_t id[16];
	char version[32];
	int64_t heard_ns;
	struct buf heartbeat;
	bool changed;
	uint32_t classes, paths, campaigns, reasons, runs_pending,
	    runs_unchecked;
	int64_t payload_day, gap_day;
	uint32_t payloads, gaps; /* of those days */
	uint64_t gap_more;       /* records of gaps above the bound */
	int64_t *hours;          /* met in the set */
	size_t hour_count;
	struct watch_span *watch;
	size_t watch_count;
};

struct path_name {
	uint8_t digest[PATH_DIGEST_LEN];
	uint32_t agent; /* its row */
	uint32_t id;    /* 0: gone */
	uint32_t last_day;
};
/* A path that rollup.db does not know yet. */
struct path_identity {
	uint8_t digest[PATH_DIGEST_LEN];
	uint32_t agent, id, day;
	struct addr src, dst;
	struct buf hops; /* owned */
};

struct path_sum {
	uint32_t path, zero;
	int64_t bin; /* of a minute, or the finest above it */
	uint64_t traces, reached;
	int64_t first_ns, last_ns;
	size_t sums, sums_len; /* in the table's bytes */
};
struct path_table {
	struct path_sum *rows;
	size_t count, cap;
	struct index index;
	struct buf bytes; /* sums as analysis/path.h writes them */
};

struct gather_run {
	uint8_t campaign[16];
	uint64_t run;
	int64_t agent;
	int64_t first_ns, last_ns;
	uint64_t records;
	char *error; /* owned; NULL: none */
};
struct run_table {
	struct gather_run *rows;
	size_t count, cap;
	struct index index;
};

/* Zeros behind texts: compared octet by octet. */
#define UNSENT_REASON_LEN 48
struct unsent_key {
	int64_t agent, bin; /* of an hour */
	uint32_t outcome;   /* NOT_SENT, DENIED */
	char reason[UNSENT_REASON_LEN], device[20];
};
struct unsent_row {
	struct unsent_key key;
	uint64_t probes;
	int64_t first_ns, last_ns;
};
struct unsent_table {
	struct unsent_row *rows;
	size_t count, cap;
	struct index index;
};

struct new_payload {
	uint8_t hash[16];
	struct buf octets;
	uint64_t size_bytes;
	int64_t first_ns, agent, day;
};
struct new_gap {
	int64_t agent, wall_ns;
	uint64_t epoch, from_seq, to_seq, unnumbered, records;
	char reason[72];
};

struct source_table {
	struct source_row *rows;
	size_t count, cap;
	struct index index;
};

/* The last day of a path that rollup.db knows; 0: it goes. */
struct path_day {
	uint32_t id, day;
};

/* What a batch adds to, and a flush writes in one transaction with the number
 * of its last block. */
struct gathered {
	struct source_table sources;
	struct path_table paths;
	struct run_table runs;
	struct unsent_table unsent;
	struct new_payload *payloads;
	size_t payload_count;
	struct new_gap *gaps;
	size_t gap_count;
	size_t loose_bytes; /* of payloads and gaps */
	struct path_identity *new_paths;
	size_t new_path_count, new_path_cap;
	struct path_day *path_days;
	size_t path_day_count, path_day_cap;
	bool paths_go;

	bool waiting;
	struct monotime since; /* the oldest row that waits */
	uint64_t block;
	int64_t received_ns; /* wall, of the newest batch */
	/* As they were when the set was frozen: */
	struct class_name *classes; /* those that changed; id in class_ids */
	uint32_t *class_ids;
	size_t class_count;
	struct gather_agent
	    *agents; /* those that changed; own what they have */
	size_t agent_count;
	uint64_t bounded;
	uint32_t last_path;
};

/* Served in the order in which they came: a thread that takes it in a loop lets
 * the others in between. */
struct turnstile {
	pthread_mutex_t lock;
	pthread_cond_t turn;
	uint64_t next, serving;
};

/* Sizes that decide when work is due and how it is divided; a test has smaller
 * ones. */
struct gather_sizes {
	uint32_t parts_crowded; /* of a bin: above, some are merged */
	uint32_t delta_rows;    /* of hours that their day does not hold */
	uint32_t heavy_groups;  /* of a class and day, about */
	uint32_t fine_rows;     /* read for sources; above, days are */
	uint32_t held_rows;     /* of sources, of paths, in a set at most */
	uint32_t path_rows;     /* and names of paths, that a reader holds */
};
extern struct gather_sizes gather_sizes;

struct gather {
	char *path;
	struct db_files files;
	uint32_t levels[STORE_LEVELS_MAX];
	bool held; /* sets wait for gather_settle */
	_Atomic bool corrupt;
	_Atomic uint64_t bounded; /* by batches and by upkeep */

	/* --- under lock --- */
	pthread_mutex_t lock;
	pthread_cond_t written;        /* a flush ended */
	struct gathered *now, *frozen; /* frozen, once waiting: disk */
	uint64_t settled; /* a set up to this block may be frozen */
	bool flushing;
	struct monotime flushed; /* the last flush's end, and what it took */
	int64_t flush_ns;
	struct monotime retry; /* of a flush that failed with too much held */
	struct errmsg retry_why;
	uint64_t payload_bytes;
	uint64_t bytes, free_bytes; /* of rollup.db, at the last step */
	uint64_t applied;           /* the last block on the disk */
	struct db look;             /* what the next batch asks of rollup.db */

	struct class_name *classes; /* id - 1 */
	size_t class_count;
	struct index class_index;
	struct gather_agent *agents;
	size_t agent_count;
	struct path_name *path_names;
	size_t path_count, path_cap;
	struct index path_index;
	uint32_t last_path;
	struct index campaigns; /* of agents: hashes alone */
	struct index reasons;   /* likewise */
	uint64_t *seen; /* the filter of all sources that were ever seen */
	struct rollup_view *idle_views;

	/* --- under disk --- */
	struct turnstile disk;
	struct db db;
	struct segment_codec *codec;
	int64_t next_part;
	int64_t received_ns, newest_ns; /* wall; of rows that are in hours */
	bool work; /* there may be something for gather_step */
	struct monotime idle_since;
	int64_t housekept_ns; /* monotonic; of expire's hourly part */
	/* Days since 1970: sources seen last before are gone; the stripe that
	 * is swept next; what the merge under way drops (0: nothing). */
	int64_t seen_floor, seen_swept, seen_dropping;
	/* By class, id - 1: sources, and those that the flush counts. */
	uint64_t class_sources[CLASSES_MOST + 1], class_found[CLASSES_MOST + 1];
};

/* Under lock. */
void note_waiting(struct gathered *set);
