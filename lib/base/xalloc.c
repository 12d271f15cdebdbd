/* SPDX-License-Identifier: ISC */
/* Out of memory is not an error that callers can handle: log it and abort. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/xalloc.h"

static void *checked(void *p, size_t size)
{
	if (!p)
		BUG("out of memory (%zu bytes)", size);
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
		BUG("out of memory (formatting)");
	return text;
}
