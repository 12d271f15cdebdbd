/* SPDX-License-Identifier: ISC */
/* Out of memory is not an error that callers can handle: say what limits it and
 * end. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/xalloc.h"

#define EXIT_LATER 75 /* err.h */

static const struct memory_limit {
	int resource;
	char letter; /* of ulimit */
	const char *unit;
} limit_rows[] = { { RLIMIT_DATA, 'd', "DATA" }, { RLIMIT_AS, 'v', "AS" } };
static char limits[128];
static bool limits_noted;

void xalloc_note_limits(void)
{
	size_t len = 0;
	limits_noted = true;
	limits[0] = '\0';
	for (size_t i = 0; i < sizeof(limit_rows) / sizeof(*limit_rows); i++) {
		const struct memory_limit *row = &limit_rows[i];
		struct rlimit now;
		if (getrlimit(row->resource, &now) != 0 ||
		    now.rlim_cur == RLIM_INFINITY || len >= sizeof(limits))
			continue;
		int n = snprintf(limits + len, sizeof(limits) - len,
		    "%sulimit -%c (of a service: Limit%s), which is %llu KiB",
		    len ? ", " : "raise ", row->letter, row->unit,
		    (unsigned long long)now.rlim_cur / 1024);
		len += n > 0 ? (size_t)n : 0;
	}
}

static _Noreturn void end_without(size_t size)
{
	if (!limits_noted)
		xalloc_note_limits();
	fprintf(stderr, "sonde: out of memory: %zu bytes refused; %s\n", size,
	    limits[0] ? limits
		      : "raise the memory limit of the container or service, "
			"or free memory of this machine");
	_exit(EXIT_LATER);
}

static void *checked(void *p, size_t size)
{
	if (!p)
		end_without(size);
	return p;
}

void *xmalloc(size_t size)
{
	return checked(malloc(size ? size : 1), size);
}

void *xcalloc(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1), size);
}

void *xcalloc_lines(size_t count, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(count, size, &total) ||
	    total > SIZE_MAX - XCALLOC_LINE)
		BUG("allocation overflow (%zu x %zu)", count, size);
	total =
	    (total + !total + XCALLOC_LINE - 1) / XCALLOC_LINE * XCALLOC_LINE;
	return memset(
	    checked(aligned_alloc(XCALLOC_LINE, total), total), 0, total);
}

void *xreallocarray(void *p, size_t count, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(count, size, &total))
		BUG("allocation overflow (%zu x %zu)", count, size);
	return checked(realloc(p, total ? total : 1), total);
}

char *xstrdup(const char *s)
{
	return xmemdup(s, strlen(s) + 1);
}

char *xstrndup(const char *s, size_t len)
{
	char *copy = xmalloc(len + 1);
	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

void *xmemdup(const void *p, size_t size)
{
	void *copy = xmalloc(size);
	if (size)
		memcpy(copy, p, size);
	return copy;
}

char *xasprintf(const char *format, ...)
{
	char *text = NULL;
	va_list ap;
	va_start(ap, format);
	int n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0)
		end_without(strlen(format));
	return text;
}
