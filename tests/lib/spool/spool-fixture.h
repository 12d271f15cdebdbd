/* SPDX-License-Identifier: ISC */
/* A spool in a folder of its own, on a disk that fails when told to. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/spool/spool.h"

extern char dir[64];
extern struct spool *spool; /* of 1 MiB, in segments of 64 KiB */
extern struct spool_reader *reader;
extern struct errmsg msg;

/* What fails next; an error of a sync fails one, of a write all after
 * writes_before_error. */
struct faults {
	int fsync_error, fsync_dir_error, write_error, ftruncate_error;
	int writes_before_error;
	int failed_fd, fsyncs_of_failed; /* seen; -1: it was closed */
	long short_write;                /* bytes a write takes at most */
};
extern struct faults faults;

struct spool_config config(void);
int spool_setup(void **state);
int spool_teardown(void **state);
#define WITH_SPOOL(f) \
	cmocka_unit_test_setup_teardown(f, spool_setup, spool_teardown)

uint64_t epoch_now(void);
uint64_t add(enum spool_class class, const char *text);
/* A record of len bytes that starts with an id of its own; 0 when refused. */
uint64_t add_one(enum spool_class class, size_t len);
void add_many(enum spool_class class, size_t count, size_t len);
void sync_now(void);
void reopen(void);
/* A crash leaves everything but the mark of a clean close. */
void reopen_after_crash(void);

/* The i-th segment of a class by place: its path, to be freed. */
char *segment_path(int class, size_t index);
void overwrite(const char *path, long offset, const char *bytes);

/* Reads all from a place on, as a shipper would; every record of add_one must
 * be the one that was given its number. */
struct seen {
	uint64_t records, lost, gap_records, gaps, runs;
	char reason[32]; /* of the last gap */
};
struct seen read_all(uint64_t epoch, uint64_t seq);
