/* SPDX-License-Identifier: ISC */
/*
 * Each process counts into a page of its own that the keeper can read: shared
 * memory made before the processes part, written by one, read by one.  The
 * keeper turns all pages into a heartbeat record.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNTERS_MAX 96
#define COUNTERS_NAME_LEN 40

struct counters; /* one page, mapped shared */

struct counters *counters_new(void);
/* The same for a program that the owner becomes: *fd (close-on-exec) is the
 * page, which no process can make shorter. */
struct counters *counters_new_fd(int *fd);
/* There; NULL for what is no such page. */
struct counters *counters_open(int fd);
void counters_free(struct counters *counters); /* unmaps, here only */
/* The cell for a name, made on first use (only by the owner).  Keep it; add
 * with counters_add.  A full page, or NULL for a page, gives a cell that
 * no process reads. */
uint64_t *counters_cell(struct counters *counters, const char *name);
/* Cells for count names, each with "group." before it; a NULL among them gives
 * a cell that no process reads. */
void counters_cells(struct counters *counters, const char *group,
    const char *const *names, size_t count, uint64_t **cells);
static inline void counters_add(uint64_t *cell, uint64_t n)
{
	__atomic_fetch_add(cell, n, __ATOMIC_RELAXED);
}
static inline void counters_set(uint64_t *cell, uint64_t n)
{
	__atomic_store_n(cell, n, __ATOMIC_RELAXED);
}
/* For the reader: false when i is past the end.  Copies, and treats what the
 * owner wrote as hostile. */
bool counters_get(const struct counters *counters, size_t i,
    char name[static COUNTERS_NAME_LEN], uint64_t *value);
