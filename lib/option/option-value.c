/* SPDX-License-Identifier: ISC */
/*
 * Text to typed values, once for the command line, configuration files and
 * scripts.  Numbers with units are parsed as exact decimals, so "1.5s" is
 * 1,500,000,000 ns and too large a value is an error, never a wrap.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "lib/option/option-value.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit duration_units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", UINT64_C(60) * 1000000000 },
	{ "h", UINT64_C(3600) * 1000000000 },
	{ "d", UINT64_C(86400) * 1000000000 },
	{ NULL, 0 },
};

static const struct unit size_units[] = {
	{ "", 1 },
	{ "k", UINT64_C(1) << 10 },
	{ "K", UINT64_C(1) << 10 },
	{ "M", UINT64_C(1) << 20 },
	{ "G", UINT64_C(1) << 30 },
	{ "T", UINT64_C(1) << 40 },
	{ NULL, 0 },
};

static const struct unit *unit_find(const struct unit *units, const char *name)
{
	for (; units->name; units++)
		if (strcmp(units->name, name) == 0)
			return units;
	return NULL;
}

/* digits [. digits] unit -> value in the smallest unit, rounded down. */
static int scaled_parse(
    uint64_t *value, const char *text, const struct unit *units)
{
	size_t whole = strspn(text, "0123456789");
	const char *p = text + whole;
	const char *fraction = p;
	size_t fraction_len = 0;
	if (whole == 0)
		return ERR_MALFORMED;
	if (*p == '.') {
		fraction = p + 1;
		fraction_len = strspn(fraction, "0123456789");
		if (fraction_len == 0)
			return ERR_MALFORMED;
		p = fraction + fraction_len;
	}
	const struct unit *unit = unit_find(units, p);
	if (!unit)
		return ERR_MALFORMED;
	uint64_t sum = 0;
	for (size_t i = 0; i < whole; i++)
		if (__builtin_mul_overflow(sum, 10u, &sum) ||
		    __builtin_add_overflow(
			sum, (uint64_t)(text[i] - '0'), &sum))
			return ERR_LIMIT;
	if (__builtin_mul_overflow(sum, unit->factor, &sum))
		return ERR_LIMIT;
	uint64_t part = 0, scale = 1;
	for (size_t i = 0; i < fraction_len && i < 18; i++) {
		part = part * 10 + (uint64_t)(fraction[i] - '0');
		scale *= 10;
	}
	unsigned __int128 more = (unsigned __int128)part * unit->factor / scale;
	if (__builtin_add_overflow(sum, (uint64_t)more, &sum))
		return ERR_LIMIT;
	*value = sum;
	return 0;
}

int option_parse_duration(int64_t *ns, const char *text, struct errmsg *msg)
{
	uint64_t value;
	int err = strcmp(text, "0") == 0
	    ? scaled_parse(&value, "0s", duration_units)
	    : scaled_parse(&value, text, duration_units);
	if (err == 0 && value > INT64_MAX)
		err = ERR_LIMIT;
	if (err == ERR_LIMIT)
		return err_set(msg, ERR_USAGE,
		    "expected at most 290 years, got '%.60s'", text);
	if (err)
		return err_set(msg, ERR_USAGE,
		    "expected a duration such as 500ms, 60s or 1d, got "
		    "'%.60s'",
		    text);
	*ns = (int64_t)value;
	return 0;
}

int option_parse_size(uint64_t *bytes, const char *text, struct errmsg *msg)
{
	int err = scaled_parse(bytes, text, size_units);
	if (err == ERR_LIMIT)
		return err_set(msg, ERR_USAGE,
		    "expected less than 16777216T, got '%.60s'", text);
	if (err)
		return err_set(msg, ERR_USAGE,
		    "expected a size such as 512, 64k or 8M, got '%.60s'",
		    text);
	return 0;
}

/* Code points by name (RFC 2474, 2597, 3246, 5865, 8622); those of classes are
 * computed. */
static int dscp_find(const char *name)
{
	static const struct {
		const char *name;
		int dscp;
	} names[] = { { "BE", 0 }, { "DF", 0 }, { "LE", 1 },
		{ "VOICE-ADMIT", 44 }, { "VA", 44 }, { "EF", 46 } };
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcasecmp(name, names[i].name) == 0)
			return names[i].dscp;
	if (strncasecmp(name, "CS", 2) == 0 && name[2] >= '0' &&
	    name[2] <= '7' && !name[3])
		return (name[2] - '0') << 3;
	if (strncasecmp(name, "AF", 2) == 0 && name[2] >= '1' &&
	    name[2] <= '4' && name[3] >= '1' && name[3] <= '3' && !name[4])
		return (name[2] - '0') << 3 | (name[3] - '0') << 1;
	return -1;
}

int option_parse_tos(int64_t *tos, const char *text, struct errmsg *msg)
{
	int dscp = dscp_find(text);
	if (dscp >= 0) {
		*tos = dscp << 2;
		return 0;
	}
	bool hex = strncasecmp(text, "0x", 2) == 0;
	const char *digits = hex ? text + 2 : text;
	size_t len =
	    strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
	if (len == 0 || len > 3 || digits[len] ||
	    strtol(digits, NULL, hex ? 16 : 10) > 255)
		return err_set(msg, ERR_USAGE,
		    "expected a DSCP such as EF, AF41 or CS5, or the octet, 0 "
		    "to 255 or 0x0 to 0xff, got '%.60s'",
		    text);
	*tos = strtol(digits, NULL, hex ? 16 : 10);
	return 0;
}

static void range_format(
    const struct option_row *row, double value, char *to, size_t size)
{
	const struct unit *units = row->type == OPTION_DURATION ? duration_units
	    : row->type == OPTION_SIZE                          ? size_units
								: NULL;
	const struct unit *best = NULL;
	for (; units && units->name && value < 1e18; units++) {
		double count = value / (double)units->factor;
		if (count >= 1 && count == (double)(int64_t)count)
			best = units;
	}
	if (best)
		snprintf(to, size, "%.15g%s", value / (double)best->factor,
		    best->name);
	else
		snprintf(to, size, "%.15g", value);
}

void option_range_text(const struct option_row *row, char *to, size_t size)
{
	char low[40], high[40];
	to[0] = '\0';
	if (row->min == 0 && row->max == 0)
		return;
	range_format(row, row->min, low, sizeof(low));
	range_format(row, row->max, high, sizeof(high));
	if (isinf(row->max) || row->max < row->min)
		snprintf(to, size, "at least %s", low);
	else
		snprintf(to, size, "%s to %s", low, high);
}

/* A max below min (or infinite) bounds only from below. */
static int range_check(const struct option_row *row, double value,
    const char *text, struct errmsg *msg)
{
	if (row->min == 0 && row->max == 0)
		return 0;
	if (value >= row->min && (value <= row->max || row->max < row->min))
		return 0;
	char range[96];
	option_range_text(row, range, sizeof(range));
	return err_set(msg, ERR_USAGE, "expected %s, got '%.60s'", range, text);
}

int option_parse_integer(int64_t *value, const char *text, double min,
    double max, struct errmsg *msg)
{
	struct option_row row = {
		.type = OPTION_INTEGER, .min = min, .max = max
	};
	char *end;
	errno = 0;
	long long got = strtoll(text, &end, 10);
	bool digits = strspn(text + (*text == '-'), "0123456789") ==
	    strlen(text) - (*text == '-');
	if (end == text || *end || !digits)
		return err_set(msg, ERR_USAGE,
		    "expected a whole number, got '%.60s'", text);
	if (errno == ERANGE)
		return err_set(msg, ERR_USAGE,
		    "expected a number of 64 bits, got '%.60s'", text);
	int err = range_check(&row, (double)got, text, msg);
	if (err == 0)
		*value = got;
	return err;
}

static int number_parse(double *value, const char *text, struct errmsg *msg)
{
	char *end;
	double got = strtod(text, &end);
	if (!*text || *end || strspn(text, "+-.0123456789eE") != strlen(text) ||
	    !isfinite(got))
		return err_set(
		    msg, ERR_USAGE, "expected a number, got '%.60s'", text);
	*value = got;
	return 0;
}

static int flag_parse(int64_t *value, const char *text, struct errmsg *msg)
{
	static const char *const words[][2] = { { "false", "true" },
		{ "no", "yes" }, { "off", "on" }, { "0", "1" } };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (int on = 0; on < 2; on++)
			if (strcmp(text, words[i][on]) == 0) {
				*value = on;
				return 0;
			}
	return err_set(
	    msg, ERR_USAGE, "expected true or false, got '%.60s'", text);
}

static int choice_check(
    const struct option_row *row, const char *text, struct errmsg *msg)
{
	size_t len = strlen(text);
	const char *p = row->choices;
	while (p && *p) {
		size_t n = strcspn(p, "|");
		if (n == len && memcmp(p, text, len) == 0)
			return 0;
		p += n + (p[n] == '|');
	}
	return err_set(msg, ERR_USAGE, "expected one of %s, got '%.60s'",
	    row->choices ? row->choices : "nothing", text);
}

/* Checks that fill the number fields; text kinds are only checked. */
static int typed_parse(struct option_value *v, const struct option_row *row,
    const char *text, struct errmsg *msg)
{
	struct addr a;
	struct prefix p;
	int err;
	switch (row->type) {
	case OPTION_FLAG: return flag_parse(&v->integer, text, msg);
	case OPTION_INTEGER:
		return option_parse_integer(
		    &v->integer, text, row->min, row->max, msg);
	case OPTION_NUMBER:
		err = number_parse(&v->number, text, msg);
		return err ? err : range_check(row, v->number, text, msg);
	case OPTION_DURATION:
		err = option_parse_duration(&v->integer, text, msg);
		return err ? err
			   : range_check(row, (double)v->integer, text, msg);
	case OPTION_SIZE:
		err = option_parse_size(&v->size, text, msg);
		return err ? err : range_check(row, (double)v->size, text, msg);
	case OPTION_TOS:
		err = option_parse_tos(&v->integer, text, msg);
		return err ? err
			   : range_check(row, (double)v->integer, text, msg);
	case OPTION_CHOICE: return choice_check(row, text, msg);
	case OPTION_ADDRESS:
		if (addr_parse(&a, text) != 0)
			return err_set(msg, ERR_USAGE,
			    "expected a numeric "
			    "address, got '%.60s'",
			    text);
		return 0;
	case OPTION_PREFIX: return prefix_parse(&p, text, msg) ? ERR_USAGE : 0;
	case OPTION_TEXT:
	case OPTION_LIST: return 0;
	}
	BUG("option type %d", (int)row->type);
}

static void items_clear(struct option_value *v)
{
	for (size_t i = 0; i < v->item_count; i++)
		free(v->items[i]);
	free(v->items);
	v->items = NULL;
	v->item_count = 0;
}

static void item_add(struct option_value *v, char *item_taken)
{
	VEC_ROOM(v->items, v->item_count);
	v->items[v->item_count++] = item_taken;
}

int option_value_set(struct option_value *v, const struct option_row *row,
    const char *text, struct errmsg *msg)
{
	struct option_value got = { 0 };
	int err = typed_parse(&got, row, text, msg);
	if (err)
		return err;
	if (row->type == OPTION_LIST) {
		if (!v->given)
			items_clear(v);
		item_add(v, xstrdup(text));
	} else {
		v->integer = got.integer;
		v->size = got.size;
		v->number = got.number;
		free(v->text);
		v->text = xstrdup(text);
	}
	v->given = v->set = true;
	return 0;
}

int option_value_default(
    struct option_value *v, const struct option_row *row, struct errmsg *msg)
{
	const char *p = row->fallback;
	if (v->set || !p)
		return 0;
	if (row->type != OPTION_LIST) {
		int err = option_value_set(v, row, p, msg);
		v->given = false;
		return err;
	}
	while (*p) {
		size_t n = strcspn(p, ",");
		item_add(v, xstrndup(p, n));
		p += n + (p[n] == ',');
	}
	v->set = true;
	return 0;
}

void option_value_fini(struct option_value *v)
{
	items_clear(v);
	free(v->text);
	*v = (struct option_value){ 0 };
}

size_t option_row_count(const struct option_row *rows)
{
	size_t n = 0;
	while (rows && rows[n].name)
		n++;
	return n;
}

const struct option_value *option_value_of(const struct option_value *values,
    const struct option_row *rows, const char *name, enum option_type type)
{
	for (size_t i = 0; rows && rows[i].name; i++)
		if (strcmp(rows[i].name, name) == 0) {
			if (rows[i].type != type &&
			    (type != OPTION_TEXT ||
				rows[i].type == OPTION_LIST))
				BUG("'%s' is of another type", name);
			return &values[i];
		}
	BUG("no row '%s' in the table", name);
}

/* Optimal string alignment, three rows; names are short. */
static size_t edit_distance(const char *a, const char *b)
{
	enum { MOST = 64 };
	size_t la = strlen(a), lb = strlen(b);
	size_t rows[3][MOST + 1];
	if (la > MOST || lb > MOST)
		return MOST;
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *now = rows[i % 3], *above = rows[(i + 2) % 3];
		const size_t *older = rows[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && older[j - 2] + 1 < best)
				best = older[j - 2] + 1;
			now[j] = best;
		}
	}
	return rows[la % 3][lb];
}

const char *option_nearest(
    const char *word, const char *const *names, size_t count)
{
	const char *nearest = NULL;
	size_t least = 3;
	for (size_t i = 0; i < count; i++) {
		size_t d = edit_distance(word, names[i]);
		/* Two edits of a two-letter word leave nothing of it. */
		if (d < least && d < strlen(names[i])) {
			least = d;
			nearest = names[i];
		}
	}
	return nearest;
}
