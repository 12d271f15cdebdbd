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
	char zone[16];     /* "+01:00", "Z" */
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

/* Up to so many digits; false, and *p as it was, when there is none. */
static bool scan_number(const char **p, int most, int *number)
{
	const char *from = *p;
	for (*number = 0; *p - from < most && isdigit((unsigned char)**p);
	     (*p)++)
		*number = *number * 10 + (**p - '0');
	return *p > from;
}

static bool scan_char(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

static void skip_blanks(const char **p)
{
	while (**p == ' ')
		(*p)++;
}

/* 20240101 and 20240101000143: no log has seconds of 1970 or milliseconds of
 * the year 2611. */
static bool split_digits(struct parts *p, const char *text)
{
	size_t len = strspn(text, "0123456789");
	if (text[len] || (len != 8 && len != 14) ||
	    (strncmp(text, "19", 2) != 0 && strncmp(text, "20", 2) != 0))
		return false;
	scan_number(&text, 4, &p->year);
	scan_number(&text, 2, &p->month);
	scan_number(&text, 2, &p->day);
	scan_number(&text, 2, &p->hour);
	scan_number(&text, 2, &p->minute);
	scan_number(&text, 2, &p->second);
	return p->month >= 1 && p->month <= 12 && p->day >= 1 && p->day <= 31;
}

static bool scan_month(const char **p, int *number)
{
	static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	for (int i = 0; i < 12; i++)
		if (strncasecmp(*p, months + i * 3, 3) == 0) {
			*number = i + 1;
			*p += 3;
			return true;
		}
	return false;
}

/* 2024-01-31 and 2024/01/31. */
static bool scan_year_first(const char **text, struct parts *p)
{
	const char *from = *text;
	if (!scan_number(text, 4, &p->year) || *text - from != 4 ||
	    (**text != '-' && **text != '/'))
		return false;
	char between = **text;
	from = ++*text;
	return scan_number(text, 2, &p->month) && scan_char(text, between) &&
	    scan_number(text, 2, &p->day) && *text - from == 5;
}

/* tshark's "Jan 31, 2024", and a web server's "31/Jan/2024". */
static bool scan_named_month(const char **text, struct parts *p)
{
	if (scan_month(text, &p->month)) {
		skip_blanks(text);
		if (!scan_number(text, 2, &p->day) || !scan_char(text, ','))
			return false;
		skip_blanks(text);
		return scan_number(text, 4, &p->year);
	}
	return scan_number(text, 2, &p->day) && scan_char(text, '/') &&
	    scan_month(text, &p->month) && scan_char(text, '/') &&
	    scan_number(text, 4, &p->year);
}

/* What follows the date, or NULL. */
static const char *split_date(struct parts *p, const char *text)
{
	const char *from = text;
	if (scan_year_first(&text, p))
		return text;
	text = from;
	return scan_named_month(&text, p) ? text : NULL;
}

static const char *split_clock(struct parts *p, const char *text)
{
	if (!scan_number(&text, 2, &p->hour) || !scan_char(&text, ':') ||
	    !scan_number(&text, 2, &p->minute))
		return NULL;
	if (scan_char(&text, ':') && !scan_number(&text, 2, &p->second))
		return NULL;
	if (*text != '.' && *text != ',')
		return text;
	size_t len = strspn(text + 1, "0123456789");
	snprintf(p->fraction, sizeof(p->fraction), ".%.*s",
	    len < 9 ? (int)len : 9, text + 1);
	return len > 0 ? text + 1 + len : NULL;
}

static bool split_zone(struct parts *p, const char *text)
{
	int hours, minutes = 0;
	skip_blanks(&text);
	strcpy(p->zone, "Z");
	if (*text == '\0' || strcasecmp(text, "Z") == 0 ||
	    strcasecmp(text, "UTC") == 0 || strcasecmp(text, "GMT") == 0)
		return true;
	char sign = *text;
	if (sign != '+' && sign != '-')
		return false;
	text++;
	if (!scan_number(&text, 2, &hours))
		return false;
	if (scan_char(&text, ':') || *text)
		if (!scan_number(&text, 2, &minutes))
			return false;
	if (*text || hours > 23 || minutes > 59)
		return false;
	snprintf(p->zone, sizeof(p->zone), "%c%02d:%02d", sign, hours % 100,
	    minutes % 100);
	return true;
}

static int join_parts(struct walltime *time, const struct parts *p)
{
	char text[128];
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
