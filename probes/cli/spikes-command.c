/* SPDX-License-Identifier: ISC */
/*
 * `sonde spikes`: rows of who was seen when become distinct sources per bin,
 * one series a signature, and analysis/spikes.h finds what rose or fell.  All
 * series run from the file's first bin to its last: a signature that is new
 * has been watched for, and not seen, before.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/hash.h"
#include "analysis/spikes.h"
#include "lib/base/addr.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "probes/cli/command.h"
#include "probes/cli/output.h"
#include "probes/cli/spike-rows.h"

enum { BINS_MOST = 20 * 1000 * 1000, SIGNATURES_MOST = 4096 };

static const struct option_row rows[] = {
	{ .name = "json",
	    .type = OPTION_FLAG,
	    .help = "one JSON object an alarm, schema sonde-spike/1" },
	{ .name = "csv", .type = OPTION_FLAG, .help = "a row an alarm" },
	{ .name = "bin",
	    .letter = 'b',
	    .type = OPTION_DURATION,
	    .argument = "TIME",
	    .min = NS_PER_S,
	    .max = 366 * 86400.0 * NS_PER_S,
	    .fallback = "1d",
	    .help = "count distinct sources in bins of TIME" },
	{ .name = "warmup",
	    .type = OPTION_INTEGER,
	    .argument = "BINS",
	    .min = 1,
	    .max = 100000,
	    .fallback = "14",
	    .help = "learn from the first BINS without judging them" },
	{ .name = "run-length",
	    .type = OPTION_NUMBER,
	    .argument = "BINS",
	    .min = 10,
	    .max = 1e9,
	    .fallback = "1000",
	    .help = "at most one false alarm in so many bins on average" },
	{ .name = "season",
	    .type = OPTION_INTEGER,
	    .argument = "BINS",
	    .min = 0,
	    .max = 10000,
	    .fallback = "0",
	    .help = "what is usual repeats after BINS: 7 for days of a week" },
	{ .name = "gaps",
	    .type = OPTION_CHOICE,
	    .choices = "zero|missing",
	    .fallback = "zero",
	    .help = "a bin without any row: no source came, or no sensor ran" },
	{ .name = NULL },
};
static const struct option_table table = {
	.program = "sonde spikes",
	.synopsis = "[--json | --csv] [--bin TIME] FILE",
	.summary = "rises and falls in the number of distinct sources",
	.examples = "sonde spikes --bin 1d sightings.csv\n"
		    "sonde spikes --json telescope.csv.gz\n"
		    "sort -u log.csv | sonde spikes --bin 10s -\n",
	.rows = rows,
	.operands_min = 1,
	.operands_max = 1,
};

/* A source was seen, in some bin. */
struct sighting {
	uint32_t signature; /* index */
	int64_t bin;        /* since 1970 */
	uint64_t source;    /* hash */
};

struct input {
	struct sighting *list;
	size_t count;
	char **signatures; /* "" is none */
	size_t signature_count;
	int64_t bin_ns, first_bin, last_bin;
	int64_t last_ns;
	uint64_t bad, bad_line;
	struct errmsg bad_why;
};

static void input_fini(struct input *in)
{
	for (size_t i = 0; i < in->signature_count; i++)
		free(in->signatures[i]);
	free(in->signatures);
	free(in->list);
}

static uint64_t source_hash(const char *text)
{
	struct addr a;
	return addr_parse(&a, text) == 0 ? addr_hash(&a, 1)
					 : hash_fnv_text(HASH_FNV_START, text);
}

/* -1 when there are too many. */
static long signature_index(struct input *in, const char *name)
{
	for (size_t i = in->signature_count; i-- > 0;)
		if (strcmp(in->signatures[i], name) == 0)
			return (long)i;
	if (in->signature_count == SIGNATURES_MOST)
		return -1;
	VEC_ROOM(in->signatures, in->signature_count);
	in->signatures[in->signature_count] = xstrdup(name);
	return (long)in->signature_count++;
}

static int row_add(
    struct input *in, const struct spike_row *row, struct errmsg *msg)
{
	long signature =
	    signature_index(in, row->signature ? row->signature : "");
	if (signature < 0)
		return err_set(
		    msg, ERR_LIMIT, "more than %d signatures", SIGNATURES_MOST);
	int64_t bin = row->when.ns / in->bin_ns;
	if (row->when.ns % in->bin_ns < 0)
		bin--;
	VEC_ROOM(in->list, in->count);
	if (in->count == 0 || bin < in->first_bin)
		in->first_bin = bin;
	if (in->count == 0 || bin > in->last_bin)
		in->last_bin = bin;
	if (in->count == 0 || row->when.ns > in->last_ns)
		in->last_ns = row->when.ns;
	in->list[in->count++] = (struct sighting){ (uint32_t)signature, bin,
		source_hash(row->source) };
	return 0;
}

static void input_read(struct input *in, FILE *f)
{
	struct spike_rows *parser = spike_rows_new();
	char *line = NULL;
	size_t cap = 0;
	for (uint64_t number = 1; getline(&line, &cap, f) >= 0; number++) {
		struct spike_row row;
		struct errmsg why;
		int err = spike_rows_parse(parser, line, &row, &why);
		if (err == ERR_NOT_FOUND)
			continue;
		if (!err)
			err = row_add(in, &row, &why);
		if (err && in->bad++ == 0) {
			in->bad_line = number;
			in->bad_why = why;
		}
	}
	free(line);
	spike_rows_free(parser);
}

static int by_series(const void *a, const void *b)
{
	const struct sighting *x = a, *y = b;
	if (x->signature != y->signature)
		return x->signature < y->signature ? -1 : 1;
	if (x->bin != y->bin)
		return x->bin < y->bin ? -1 : 1;
	return (x->source > y->source) - (x->source < y->source);
}

/* Distinct sources of one signature, from sorted sightings; how many of them
 * belong to it. */
static size_t bins_count(const struct input *in, const struct sighting *from,
    const struct sighting *end, struct spike_bin *bins)
{
	const struct sighting *s = from;
	for (; s < end && s->signature == from->signature; s++)
		if (s == from || s[-1].bin != s->bin ||
		    s[-1].source != s->source)
			bins[s->bin - in->first_bin].count++;
	return (size_t)(s - from);
}

static void bins_mark_gaps(
    const struct input *in, struct spike_bin *bins, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bins[i].missing = true;
	for (size_t i = 0; i < in->count; i++)
		bins[in->list[i].bin - in->first_bin].missing = false;
}

/* The file may end in the middle of its last bin: a fall that shows only
 * there is none. */
static size_t find_signature(const struct input *in, struct spike_bin *bins,
    size_t count, const struct spike_config *config,
    struct spike_alarm **alarms)
{
	size_t n = spikes_find(bins, count, config, alarms, NULL);
	int64_t end_ns = (in->last_bin + 1) * in->bin_ns;
	bool whole = end_ns - in->last_ns < in->bin_ns / 20;
	if (n == 0 || whole || (*alarms)[n - 1].direction != SPIKE_FALL ||
	    (*alarms)[n - 1].detected != count - 1)
		return n;
	free(*alarms);
	bins[count - 1].missing = true;
	return spikes_find(bins, count, config, alarms, NULL);
}

static const char *bin_time(const struct input *in, size_t bin, char to[40])
{
	time_t t =
	    (time_t)((in->first_bin + (int64_t)bin) * in->bin_ns / NS_PER_S);
	struct tm tm;
	gmtime_r(&t, &tm);
	strftime(to, 40, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return to;
}

static const char *way_name(const struct spike_alarm *alarm)
{
	return alarm->direction == SPIKE_RISE ? "rise" : "fall";
}

static const struct output_column columns[] = {
	{ .key = "signature" },
	{ .key = "direction" },
	{ .key = "onset" },
	{ .key = "detected" },
	{ .key = "end" },
	{ .key = "bin_s" },
	{ .key = "observed" },
	{ .key = "expected" },
	{ .key = "test" },
	{ .key = "average_run_length" },
	{ .key = "average_run_length_unit" },
	{ .key = NULL },
};

/* Six digits are more than a count of people's machines has. */
static json_t *rounded(double value)
{
	char text[40];
	snprintf(text, sizeof(text), "%.6g", value);
	return json_real(strtod(text, NULL));
}

/* The caller's reference. */
static json_t *alarm_json(
    const struct input *in, const struct spike_alarm *a, const char *signature)
{
	char onset[40], detected[40], end[40];
	return json_pack(
	    "{s:s?, s:s, s:s, s:s, s:s?, s:f, s:o, s:o, s:s, s:f, s:s}",
	    "signature", *signature ? signature : NULL, "direction",
	    way_name(a), "onset", bin_time(in, a->onset, onset), "detected",
	    bin_time(in, a->detected, detected), "end",
	    a->ended ? bin_time(in, a->end, end) : NULL, "bin_s",
	    (double)in->bin_ns / NS_PER_S, "observed", rounded(a->observed),
	    "expected", rounded(a->expected), "test", a->test,
	    "average_run_length", a->run_length, "average_run_length_unit",
	    "bins");
}

static void print_text(const struct input *in, const struct spike_alarm *a,
    const char *signature, bool first)
{
	char onset[40], detected[40], end[40];
	if (first)
		printf("%-4s  %-20s  %-20s  %-20s  %8s  %8s  %s\n", "", "ONSET",
		    "DETECTED", "END", "OBSERVED", "EXPECTED", "SIGNATURE");
	printf("%-4s  %-20s  %-20s  %-20s  %8.1f  %8.1f  %s\n", way_name(a),
	    bin_time(in, a->onset, onset), bin_time(in, a->detected, detected),
	    a->ended ? bin_time(in, a->end, end) : "still on", a->observed,
	    a->expected, *signature ? signature : "-");
}

static void print_summary(const struct option_values *values,
    const struct output *output, size_t series, size_t bins, size_t alarms)
{
	if (output->form == OUTPUT_TEXT)
		printf("%s%zu alarm%s in %zu series of %zu bins of %s; at most "
		       "one false one in %s bins on average\n",
		    alarms ? "\n" : "", alarms, alarms == 1 ? "" : "s", series,
		    bins, option_text(values, "bin"),
		    option_text(values, "run-length"));
	if (bins <= (size_t)option_integer(values, "warmup"))
		fprintf(stderr,
		    "sonde spikes: only %zu bins, no more than "
		    "the warm-up: nothing was judged\n",
		    bins);
}

static int print_spikes(const struct input *in, struct output *output,
    const struct spike_alarm *alarm, const char *signature, struct errmsg *msg)
{
	if (output->form == OUTPUT_TEXT) {
		print_text(in, alarm, signature, !output->titled);
		output->titled = true;
		return 0;
	}
	json_t *json = alarm_json(in, alarm, signature);
	int err = output_row(output, json, msg);
	json_decref(json);
	return err;
}

static int report(const struct input *in, const struct option_values *values,
    struct output *output, struct errmsg *msg)
{
	size_t count = (size_t)(in->last_bin - in->first_bin + 1);
	const struct spike_config config = {
		.warmup_bins = (size_t)option_integer(values, "warmup"),
		.run_length = option_number(values, "run-length"),
		.season_bins = (size_t)option_integer(values, "season"),
	};
	bool gaps = strcmp(option_text(values, "gaps"), "missing") == 0;
	size_t all = 0, at = 0;
	int err = 0;
	while (at < in->count && !err) {
		struct spike_bin *bins = xcalloc(count, sizeof(*bins));
		struct spike_alarm *alarms = NULL;
		const char *signature = in->signatures[in->list[at].signature];
		if (gaps)
			bins_mark_gaps(in, bins, count);
		at += bins_count(in, in->list + at, in->list + in->count, bins);
		size_t n = find_signature(in, bins, count, &config, &alarms);
		for (size_t i = 0; i < n && !err; i++)
			err = print_spikes(
			    in, output, &alarms[i], signature, msg);
		all += n;
		free(alarms);
		free(bins);
	}
	if (err)
		return err;
	if (output->form == OUTPUT_CSV)
		output_end(output);
	print_summary(values, output, in->signature_count, count, all);
	return 0;
}

static int input_load(struct input *in, const char *path, struct errmsg *msg)
{
	struct spike_file file;
	int err = spike_file_open(&file, path, msg);
	if (err)
		return err;
	input_read(in, file.f);
	err = spike_file_close(&file, msg);
	if (err) {
		err_prefix(msg, "%.150s", path);
		return err;
	}
	if (in->bad)
		fprintf(stderr,
		    "sonde spikes: %llu bad row%s, the first in "
		    "line %llu: %s\n",
		    (unsigned long long)in->bad, in->bad == 1 ? "" : "s",
		    (unsigned long long)in->bad_line, in->bad_why.text);
	if (in->bad && in->count == 0)
		return err_set(msg, ERR_MALFORMED, "%.150s: no good row", path);
	if (in->count == 0 || !in->list || !in->signatures)
		return err_set(msg, ERR_EOF,
		    "%.150s: expected rows such as time,source,signature "
		    "(--help), got none",
		    path);
	int64_t bins = in->last_bin - in->first_bin + 1;
	if (bins > BINS_MOST)
		return err_set(msg, ERR_LIMIT,
		    "%.150s: %" PRId64 " bins, "
		    "expected at most %d: choose a longer --bin",
		    path, bins, BINS_MOST);
	return 0;
}

static int find_all(const struct option_values *values)
{
	struct input in = { .bin_ns = option_duration_ns(values, "bin") };
	struct errmsg msg = { "" };
	const char *const *operands;
	option_operands(values, &operands);
	struct output output;
	int err = output_init(&output, values, "sonde-spike/1", columns, &msg);
	if (!err)
		err = input_load(&in, operands[0], &msg);
	if (!err && in.list) {
		qsort(in.list, in.count, sizeof(*in.list), by_series);
		err = report(&in, values, &output, &msg);
	}
	input_fini(&in);
	if (!err && fflush(stdout) != 0)
		err = -errno;
	return err ? command_fail("spikes", err, &msg) : 0;
}

static int run_spikes(int argc, char **argv)
{
	struct errmsg msg = { "" };
	struct option_values *values;
	int err = option_parse(&values, &table, argc, argv, &msg), code = 0;
	if (err)
		return command_fail("spikes", err, &msg);
	if (option_help_asked(values)) {
		command_print_help(&table);
	} else {
		code = find_all(values);
	}
	option_free(values);
	return code;
}

const struct command command_spikes = {
	.name = "spikes",
	.summary = "rises and falls in the number of distinct sources",
	.options = &table,
	.run = run_spikes,
};
