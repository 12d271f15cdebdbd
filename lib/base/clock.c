/* SPDX-License-Identifier: ISC */
/* Wall time as text, RFC 3339 in UTC, both ways. */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

/* Not by gmtime_r: it reads the time zone's file, which ends a process that may
 * open none.  Years that begin in March put the leap day last; 400 of them have
 * 146,097 days, and the 153 days of five months from March on repeat. */
const char *walltime_text(struct walltime t, char to[static WALLTIME_TEXT_LEN])
{
	int64_t s = t.ns / NS_PER_S, ns = t.ns % NS_PER_S;
	if (ns < 0) {
		ns += NS_PER_S;
		s--;
	}
	int64_t days = s / 86400 - (s % 86400 < 0);
	unsigned second = (unsigned)(s - days * 86400);
	/* Since 0000-03-01; 64 bits of ns reach from 1677 to 2262. */
	unsigned day = (unsigned)(days + 719468);
	unsigned of_400 = day % 146097;
	unsigned year =
	    (of_400 - of_400 / 1460 + of_400 / 36524 - of_400 / 146096) / 365;
	unsigned of_year = of_400 - (365 * year + year / 4 - year / 100);
	unsigned month = (5 * of_year + 2) / 153;
	unsigned of_month = of_year - (153 * month + 2) / 5 + 1;
	year += 400 * (day / 146097) + (month >= 10);
	month = month < 10 ? month + 3 : month - 9;
	snprintf(to, WALLTIME_TEXT_LEN, "%04u-%02u-%02uT%02u:%02u:%02u.%09uZ",
	    year % 10000, month % 100, of_month % 100, second / 3600 % 24,
	    second / 60 % 60, second % 60, (unsigned)ns % 1000000000u);
	return to;
}

/* count digits, no sign and no space; -1 when they are not there. */
static int digits(const char **p, int count)
{
	int value = 0;
	for (; count > 0; count--, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		value = value * 10 + (**p - '0');
	}
	return value;
}

static bool take(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

static bool fraction(const char **p, int64_t *ns)
{
	*ns = 0;
	if (!take(p, '.'))
		return true;
	int64_t unit = NS_PER_S;
	const char *start = *p;
	for (; **p >= '0' && **p <= '9'; (*p)++) {
		unit /= 10;
		*ns += unit * (**p - '0');
	}
	return *p > start;
}

/* "Z", "+hh:mm" or "-hh:mm" */
static bool zone(const char **p, int64_t *offset_s)
{
	*offset_s = 0;
	if (take(p, 'Z') || take(p, 'z'))
		return true;
	int sign = take(p, '+') ? 1 : take(p, '-') ? -1 : 0;
	if (sign == 0)
		return false;
	int hours = digits(p, 2);
	bool colon = take(p, ':');
	int minutes = digits(p, 2);
	*offset_s = sign * (hours * INT64_C(3600) + minutes * INT64_C(60));
	return colon && hours >= 0 && hours < 24 && minutes >= 0 &&
	    minutes < 60;
}

static bool date_time(const char **p, struct tm *tm)
{
	tm->tm_year = digits(p, 4) - 1900;
	bool ok = tm->tm_year >= 0 - 1900 && take(p, '-');
	tm->tm_mon = ok ? digits(p, 2) - 1 : -1;
	ok = ok && tm->tm_mon >= 0 && tm->tm_mon < 12 && take(p, '-');
	tm->tm_mday = ok ? digits(p, 2) : -1;
	ok = ok && tm->tm_mday >= 1 && tm->tm_mday <= 31 &&
	    (take(p, 'T') || take(p, 't') || take(p, ' '));
	tm->tm_hour = ok ? digits(p, 2) : -1;
	ok = ok && tm->tm_hour >= 0 && tm->tm_hour < 24 && take(p, ':');
	tm->tm_min = ok ? digits(p, 2) : -1;
	ok = ok && tm->tm_min >= 0 && tm->tm_min < 60 && take(p, ':');
	tm->tm_sec = ok ? digits(p, 2) : -1;
	return ok && tm->tm_sec >= 0 && tm->tm_sec <= 60;
}

int walltime_parse(struct walltime *t, const char *text)
{
	struct tm tm = { 0 };
	int64_t ns, offset_s;
	const char *p = text;
	if (!date_time(&p, &tm) || !fraction(&p, &ns))
		return ERR_MALFORMED;
	/* No zone: UTC, which is what captures and tables mean. */
	if (*p == '\0')
		offset_s = 0;
	else if (!zone(&p, &offset_s) || *p != '\0')
		return ERR_MALFORMED;
	struct tm check = tm;
	int64_t s = (int64_t)timegm(&check);
	if (check.tm_mday != tm.tm_mday && tm.tm_sec < 60)
		return ERR_MALFORMED; /* 31 April */
	s -= offset_s;
	if (s < INT64_MIN / NS_PER_S + 1 || s > INT64_MAX / NS_PER_S - 1)
		return ERR_LIMIT;
	t->ns = s * NS_PER_S + ns;
	return 0;
}
