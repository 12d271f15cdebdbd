/* SPDX-License-Identifier: ISC */
/*
 * Allocation that cannot fail: no memory ends the process with exit code 75,
 * and says which limit of it there is.  Every size that comes from
 * outside is bounded by its reader before it gets here.
 */
#pragma once

#include <stddef.h>

#define XALLOC_NONNULL __attribute__((returns_nonnull))

void *xmalloc(size_t size) XALLOC_NONNULL;
void *xcalloc(size_t count, size_t size) XALLOC_NONNULL; /* zeroed */
/* The same, beginning with a cache line: an element whose size divides one's is
 * never in two. */
#define XCALLOC_LINE 64
void *xcalloc_lines(size_t count, size_t size) XALLOC_NONNULL;
/* Overflow of count times size aborts. */
void *xreallocarray(void *p, size_t count, size_t size) XALLOC_NONNULL;
char *xstrdup(const char *s) XALLOC_NONNULL;
char *xstrndup(const char *s, size_t len) XALLOC_NONNULL;
void *xmemdup(const void *p, size_t size) XALLOC_NONNULL;
/* Keeps what the limits are, for a process that may not ask later. */
void xalloc_note_limits(void);
char *xasprintf(const char *format, ...)
    __attribute__((format(printf, 1, 2))) XALLOC_NONNULL;
