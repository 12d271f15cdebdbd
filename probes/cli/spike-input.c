/* SPDX-License-Identifier: ISC */
/*
 * Rows become sightings of sources by their hashes, so that a year of a busy
 * network takes 24 octets a row.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/addr.h"
#include "lib/base/hash.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "probes/cli/spike-input.h"

enum { SERIES_MOST = 1 << 17 };

/* Rows are set aside whose time is further from the others than these are from
 * each other, and by more than a year, or a worm after months of silence would
 * be the only one there is; two, and one of so many, but not of a handful. */
#define FAR_NS (366 * 86400 * NS_PER_S)
#define FAR_ROWS_SHARE 200
#define FAR_ROWS_LEAST 20

void spike_input_fini(struct spike_input *in)
{
	for (size_t i = 0; i < in->series_count; i++)
		free(in->series[i].signature);
	free(in->series);
	free(in->places);
	free(in->list);
	spike_choice_fini(&in->choice);
}

static bool is_mapped(const struct addr *a)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };
	return a->family == 6 && memcmp(a->bytes, prefix, sizeof(prefix)) == 0;
}

/* An address in any spelling: with blanks, brackets, a port behind it, or in
 * IPv6's form for IPv4. */
static bool read_address(struct addr *a, const char *text)
{
	char copy[80];
	size_t len = strlen(text);
	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len + 1);
	char *p = copy + (*copy == '[');
	char *end = strchr(p, ']');
	char *colon = strchr(p, ':');
	if (end && p > copy)
		*end = '\0';
	else if (colon && colon == strrchr(p, ':'))
		*colon = '\0';
	p[strcspn(p, "%")] = '\0';
	size_t slash = strcspn(p, "/");
	if (strcmp(p + slash, strchr(p, ':') ? "/128" : "/32") == 0)
		p[slash] = '\0';
	if (addr_parse(a, p) != 0)
		return false;
	if (is_mapped(a))
		*a = addr_from_bytes(a->bytes + 12, 4);
	return true;
}

static uint64_t source_hash(const char *text)
{
	struct addr a;
	size_t len;
	text += strspn(text, " \t");
	for (len = strlen(text); len > 0 && strchr(" \t", text[len - 1]);)
		len--;
	char *trimmed = xstrndup(text, len);
	uint64_t hash = read_address(&a, trimmed)
	    ? addr_hash(&a, 1)
	    : hash_fnv_text(HASH_FNV_START, trimmed);
	free(trimmed);
	return hash;
}

static bool is_series(
    const struct port_series *s, const char *signature, int port)
{
	return s->port == port && strcmp(s->signature, signature) == 0;
}

/* Its place among the hashed, or the free one where it belongs. */
static uint32_t *find_place(
    const struct spike_input *in, const char *signature, int port)
{
	uint64_t h = hash_finish(
	    hash_fnv_text(HASH_FNV_START, signature) + (uint64_t)port);
	for (size_t i = h & (in->place_count - 1);;
	     i = (i + 1) & (in->place_count - 1)) {
		uint32_t *place = &in->places[i];
		if (*place == 0 ||
		    is_series(&in->series[*place - 1], signature, port))
			return place;
	}
}

static void grow_places(struct spike_input *in)
{
	free(in->places);
	in->place_count = in->place_count ? in->place_count * 2 : 64;
	in->places = xcalloc(in->place_count, sizeof(*in->places));
	for (size_t i = 0; i < in->series_count; i++)
		*find_place(in, in->series[i].signature, in->series[i].port) =
		    (uint32_t)i + 1;
}

/* -1 when there are too many. */
static long series_index(struct spike_input *in, const char *name, int port)
{
	if (in->place_count < 2 * (in->series_count + 1))
		grow_places(in);
	uint32_t *place = find_place(in, name, port);
	if (*place)
		return (long)*place - 1;
	if (in->series_count == SERIES_MOST)
		return -1;
	VEC_ROOM(in->series, in->series_count);
	in->series[in->series_count] =
	    (struct port_series){ xstrdup(name), port };
	*place = (uint32_t)++in->series_count;
	return (long)*place - 1;
}

static int row_add(
    struct spike_input *in, const struct spike_row *row, struct errmsg *msg)
{
	const char *signature = row->signature ? row->signature : "";
	long series = series_index(in, signature, row->port);
	if (series < 0)
		return err_set(msg, ERR_LIMIT,
		    "more than %d signatures and ports", SERIES_MOST);
	struct sighting s = { .series = (uint32_t)series, .ns = row->when.ns };
	in->counts = !row->source;
	if (in->counts)
		s.count = row->count;
	else
		s.source = source_hash(row->source);
	in->days_only = row->is_day && (in->days_only || in->count == 0);
	VEC_ROOM(in->list, in->count);
	in->list[in->count++] = s;
	return 0;
}

/* An error is one of the whole table. */
static int input_read(struct spike_input *in, FILE *f, struct errmsg *msg)
{
	struct spike_rows *parser = spike_rows_new(&in->choice);
	char *line = NULL;
	size_t cap = 0;
	int err = 0;
	for (uint64_t number = 1; getline(&line, &cap, f) >= 0; number++) {
		struct spike_row row;
		struct errmsg why;
		err = spike_rows_parse(parser, line, &row, &why);
		if (err == ERR_UNSUPPORTED) {
			*msg = why;
			err_prefix(
			    msg, "line %llu", (unsigned long long)number);
			break;
		}
		if (!err)
			err = row_add(in, &row, &why);
		if (err && err != ERR_NOT_FOUND && in->bad++ == 0) {
			in->bad_line = number;
			in->bad_why = why;
		}
		err = 0;
	}
	const char *taken = spike_rows_taken(parser);
	if (!err && taken)
		fprintf(
		    stderr, "sonde spikes: %s: columns: %s\n", in->path, taken);
	free(line);
	spike_rows_free(parser);
	return err;
}

static int by_time(const void *a, const void *b)
{
	const struct sighting *x = a, *y = b;
	return (x->ns > y->ns) - (x->ns < y->ns);
}

static void report_far(
    const struct spike_input *in, const struct sighting *far, size_t count)
{
	char text[WALLTIME_TEXT_LEN];
	walltime_text((struct walltime){ far->ns }, text);
	fprintf(stderr,
	    "sonde spikes: %s: %zu row%s set aside, far from all others: "
	    "%.19sZ\n",
	    in->path, count, count == 1 ? " is" : "s are", text);
}

/* How many rows in front are further from the rest than the rest is long. */
static size_t count_far(
    const struct sighting *from, size_t count, size_t most, int step)
{
	const struct sighting *end = from + (ptrdiff_t)(count - 1) * step;
	for (size_t n = most; n > 0; n--) {
		const struct sighting *rest = from + (ptrdiff_t)n * step;
		uint64_t span = (uint64_t)llabs(end->ns - rest->ns);
		uint64_t gap = (uint64_t)llabs(rest->ns - rest[-step].ns);
		if (gap > span && gap > (uint64_t)FAR_NS && span > 0)
			return n;
	}
	return 0;
}

/* One wrong clock must not make years of nothing. */
static void set_far_aside(struct spike_input *in)
{
	struct sighting *from = in->list;
	size_t n = in->count, far = 1;
	qsort(from, n, sizeof(*from), by_time);
	while (far > 0 && n > FAR_ROWS_LEAST) {
		size_t most = 2 + n / FAR_ROWS_SHARE;
		far = count_far(from + n - 1, n, most, -1);
		n -= far;
		if (far > 0) {
			report_far(in, from + n, far);
			continue;
		}
		far = count_far(from, n, most, 1);
		if (far > 0)
			report_far(in, from, far);
		from += far;
		n -= far;
	}
	memmove(in->list, from, n * sizeof(*from));
	in->count = n;
}

/* Times become bins. */
static void fill_bins(struct spike_input *in)
{
	in->last_ns = in->list[in->count - 1].ns;
	for (size_t i = 0; i < in->count; i++) {
		int64_t ns = in->list[i].ns;
		in->list[i].ns = ns / in->bin_ns - (ns % in->bin_ns < 0);
	}
	in->first_bin = in->list[0].ns;
	in->last_bin = in->list[in->count - 1].ns;
}

int spike_input_load(struct spike_input *in, struct errmsg *msg)
{
	struct spike_file file;
	int err = spike_file_open(&file, in->path, msg);
	if (err)
		return err;
	struct errmsg why;
	err = input_read(in, file.f, msg);
	int broken = spike_file_close(&file, &why);
	if (broken)
		*msg = why;
	if (err || broken) {
		err_prefix(msg, "%.150s", in->path);
		return broken ? broken : ERR_MALFORMED;
	}
	if (in->bad)
		fprintf(stderr,
		    "sonde spikes: %llu bad row%s, the first in "
		    "line %llu: %s\n",
		    (unsigned long long)in->bad, in->bad == 1 ? "" : "s",
		    (unsigned long long)in->bad_line, in->bad_why.text);
	if (in->bad && in->count == 0)
		return err_set(
		    msg, ERR_MALFORMED, "%.150s: no good row", in->path);
	if (in->count == 0 || !in->list || !in->series)
		return err_set(msg, ERR_EOF,
		    "%.150s: expected rows such as time,source,signature "
		    "(--help), got none",
		    in->path);
	set_far_aside(in);
	fill_bins(in);
	return 0;
}

static int by_series(const void *a, const void *b)
{
	const struct sighting *x = a, *y = b;
	if (x->series != y->series)
		return x->series < y->series ? -1 : 1;
	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return (x->source > y->source) - (x->source < y->source);
}

void spike_input_sort(struct spike_input *in)
{
	qsort(in->list, in->count, sizeof(*in->list), by_series);
}

size_t spike_input_count(const struct spike_input *in,
    const struct sighting *from, const struct sighting *end,
    struct spike_bin *bins)
{
	const struct sighting *s = from;
	for (; s < end && s->series == from->series; s++) {
		struct spike_bin *bin = &bins[s->ns - in->first_bin];
		if (in->counts)
			bin->count += s->count;
		else if (s == from || s[-1].ns != s->ns ||
		    s[-1].source != s->source)
			bin->count++;
	}
	return (size_t)(s - from);
}

void spike_input_mark_gaps(
    const struct spike_input *in, struct spike_bin *bins, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bins[i].missing = true;
	for (size_t i = 0; i < in->count; i++)
		bins[in->list[i].ns - in->first_bin].missing = false;
}
