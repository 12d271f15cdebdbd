/* SPDX-License-Identifier: ISC */
/*
 * Targets as people write them: words, then the lines of a file, whatever its
 * size.  A line's first word counts; '#' starts a comment; a range such as
 * 192.0.2.0/24 stands for each of its addresses.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/err.h"

#define TARGET_WORD_MAX 256
#define TARGET_RANGE_MAX (UINT64_C(1) << 24)
#define TARGET_BUFFER_BYTES 65536

struct target_list {
	const char *const *words; /* borrowed */
	size_t word_count, word_at;
	const char *path; /* of the file, for messages */
	int fd;           /* -1: there is none */
	bool at_end, skipping;
	uint64_t line; /* that was read last; 0: a word */
	uint64_t left; /* addresses of the range */
	struct addr next;
	uint64_t range_count; /* of the range that began with this target;
				 0: none did */
	char *buffer;         /* owned */
	size_t len, at;
};

enum target_step {
	TARGET_READY,
	TARGET_LATER, /* wait until fd is readable */
	TARGET_END,
	TARGET_BAD /* this one; msg says where and why */
};

/* path: NULL for none, "-" for standard input. */
int target_list_open(struct target_list *list, const char *const *words,
    size_t word_count, const char *path, struct errmsg *msg);
void target_list_close(struct target_list *list);

/* The next target, a host's name or address as it is written. */
enum target_step target_list_next(struct target_list *list,
    char word[static TARGET_WORD_MAX], struct errmsg *msg);

/* Reads ahead, waiting up to ms for the file (-1: as long as it takes) until
 * it ends or the buffer is full.  How many targets there are; 0: more than
 * `most`, or not known. */
size_t target_list_count(struct target_list *list, size_t most, int ms);

/* "FILE:LINE", or "" for a word of the command line. */
void target_list_where(
    const struct target_list *list, uint64_t line, char to[static 200]);
