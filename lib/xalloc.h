/* SPDX-License-Identifier: ISC */
/*
 * Allocation that cannot fail: no memory aborts.  Every size that comes from
 * outside is bounded by its reader before it gets here.
 */
#pragma once

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);                /* zeroed */
void *xreallocarray(void *p, size_t count, size_t size); /* overflow aborts */
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t len);
void *xmemdup(const void *p, size_t size);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
