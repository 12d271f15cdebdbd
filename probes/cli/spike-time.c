/* SPDX-License-Identifier: ISC */
/*
 * Numbers are seconds, unless there would be more than 10^11 (the year 5138):
 * then milliseconds, then micro-, then nanoseconds.  All else becomes RFC 3339
 * first, which lib/base reads.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "probes/cli/spike-time.h"

#define UNIT_MOST UINT64_C(100000000000)
#define SECONDS_MOST INT64_C(9214646400) /* 2262 */
#define DIGITS_MOST 19                   /* that surely fit into 64 bits */

struct parts {
	int year, month, day, hour, minute, second;
	char fraction[12]; /* ".5", or nothing */
	char zone[8];      /* "+01:00", "Z" */
};

/* Digits behind a point, as nanoseconds of a second. */
static uint64_t fraction_of(const char *digits)
{
	uint64_t ns = 0;
	for (int i = 0; i < 9; i++) {
		ns = ns * 10;
		if (isdigit((unsigned char)*digits))
			ns += (uint64_t)(*digits++ - '0');
	}
	return ns;
}

static int parse_number(struct walltime *time, const char *text)
{
	size_t len = strspn(text, "0123456789");
	if (len == 0 || len > DIGITS_MOST)
		return ERR_MALFORMED;
	uint64_t n = strtoull(text, NULL, 10), most = UNIT_MOST;
	uint64_t unit = (uint64_t)NS_PER_S;
	for (; n >= most && unit > 1; most *= 1000)
		unit /= 1000;
	if (n / ((uint64_t)NS_PER_S / unit) > (uint64_t)SECONDS_MOST)
		return ERR_LIMIT;
	time->ns = (int64_t)(n * unit);
	if (text[len] == '.')
		time->ns += (int64_t)(fraction_of(text + len + 1) * unit /
		    (uint64_t)NS_PER_S);
	return 0;
}

/* 20240101 and 20240101000143: no log has seconds of 1970 or milliseconds of
 * the year 2611. */
static bool split_digits(struct parts *p, const char *text)
{
	size_t len = strlen(text);
	if (strspn(text, "0123456789") != len || (len != 8 && len != 14) ||
	    (strncmp(text, "19", 2) != 0 && strncmp(text, "20", 2) != 0))
		return false;
	int n = sscanf(text, "%4d%2d%2d%2d%2d%2d", &p->year, &p->month, &p->day,
	    &p->hour, &p->minute, &p->second);
	return n == (len == 8 ? 3 : 6) && p->month >= 1 && p->month <= 12 &&
	    p->day >= 1 && p->day <= 31;
}

static int month_number(const char *name)
{
	static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	for (int i = 0; i < 12; i++)
		if (strncasecmp(name, months + i * 3, 3) == 0)
			return i + 1;
	return 0;
}

/* The date; what follows it, or NULL.  2024-01-31, 2024/01/31, tshark's
 * "Jan 31, 2024", a web server's "31/Jan/2024". */
static const char *split_date(struct parts *p, const char *text)
{
	char name[4] = "";
	int n = 0;
	if (sscanf(text, "%4d-%2d-%2d%n", &p->year, &p->month, &p->day, &n) ==
		3 &&
	    n == 10)
		return text + n;
	if (sscanf(text, "%4d/%2d/%2d%n", &p->year, &p->month, &p->day, &n) ==
		3 &&
	    n == 10)
		return text + n;
	if (sscanf(text, "%3[A-Za-z] %2d, %4d%n", name, &p->day, &p->year,
		&n) == 3 ||
	    sscanf(text, "%2d/%3[A-Za-z]/%4d%n", &p->day, name, &p->year, &n) ==
		3) {
		p->month = month_number(name);
		return p->month && n > 0 ? text + n : NULL;
	}
	return NULL;
}

static const char *split_clock(struct parts *p, const char *text)
{
	int n = 0, with_seconds = 0;
	if (sscanf(text, "%2d:%2d%n", &p->hour, &p->minute, &n) != 2 || n == 0)
		return NULL;
	if (sscanf(text + n, ":%2d%n", &p->second, &with_seconds) == 1)
		n += with_seconds;
	text += n;
	if (*text != '.' && *text != ',')
		return text;
	size_t len = strspn(text + 1, "0123456789");
	snprintf(p->fraction, sizeof(p->fraction), ".%.*s",
	    len < 9 ? (int)len : 9, text + 1);
	return len > 0 ? text + 1 + len : NULL;
}

static bool split_zone(struct parts *p, const char *text)
{
	int hours, minutes = 0, n = 0;
	char sign[2];
	while (*text == ' ')
		text++;
	strcpy(p->zone, "Z");
	if (*text == '\0' || strcasecmp(text, "Z") == 0 ||
	    strcasecmp(text, "UTC") == 0 || strcasecmp(text, "GMT") == 0)
		return true;
	if (sscanf(text, "%1[+-]%2d%n", sign, &hours, &n) != 2)
		return false;
	text += n;
	n = 0;
	if (*text == ':')
		text++;
	if (*text && (sscanf(text, "%2d%n", &minutes, &n) != 1 || text[n]))
		return false;
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return false;
	snprintf(p->zone, sizeof(p->zone), "%c%02d:%02d", *sign, hours % 100,
	    minutes % 100);
	return true;
}

static int join_parts(struct walltime *time, const struct parts *p)
{
	char text[96];
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d%s%s",
	    p->year, p->month, p->day, p->hour, p->minute, p->second,
	    p->fraction, p->zone);
	return walltime_parse(time, text);
}

int spike_time_parse(struct walltime *time, bool *is_day, const char *text)
{
	struct parts p = { .zone = "Z" };
	*is_day = false;
	if (split_digits(&p, text)) {
		*is_day = strlen(text) == 8;
		return join_parts(time, &p);
	}
	if (*text && strspn(text, "0123456789.") == strlen(text))
		return parse_number(time, text);
	const char *rest = split_date(&p, text);
	if (!rest)
		return ERR_MALFORMED;
	if (*rest == '\0') {
		*is_day = true;
		return join_parts(time, &p);
	}
	if (!strchr("Tt _:", *rest))
		return ERR_MALFORMED;
	rest = split_clock(&p, rest + 1);
	if (!rest || !split_zone(&p, rest))
		return ERR_MALFORMED;
	return join_parts(time, &p);
}
