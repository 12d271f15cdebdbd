/* SPDX-License-Identifier: ISC */
/*
 * `sonde spikes`: rows of who was seen when become distinct sources per bin,
 * one series for each signature and port, and analysis/spikes.h finds what rose
 * or fell.  All series run from the file's first bin to its last: a signature
 * or port that is new has been watched for, and not seen, before.
 *
 * The promise is about all series together.  Each test of one of them is a
 * process M whose mean is at most n after n quiet bins; so is their weighted
 * mean, and with equal weights over k series and two directions, one that
 * alarms when its M reaches 2 k c alarms falsely at most once in c bins,
 * however they hang together.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analysis/spikes.h"
#include "lib/base/xalloc.h"
#include "probes/cli/command.h"
#include "probes/cli/output.h"
#include "probes/cli/spike-input.h"

enum { BINS_MOST = 20 * 1000 * 1000 };

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
	{ .name = "columns",
	    .type = OPTION_TEXT,
	    .argument = "NAME=COLUMN,...",
	    .help = "which columns are time, source, signature, port, count" },
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
		    "sonde spikes --columns time=seen,source=host,port=4 "
		    "log.csv\n"
		    "sonde spikes --json telescope.csv.gz\n"
		    "sort -u log.csv | sonde spikes --bin 10s -\n",
	.rows = rows,
	.operands_min = 1,
	.operands_max = 1,
};

/* The file may end in the middle of its last bin: a fall that shows only
 * there is none.  Days and counts are whole. */
static size_t find_in_series(const struct spike_input *in,
    struct spike_bin *bins, size_t count, const struct spike_config *config,
    struct spike_alarm **alarms)
{
	size_t n = spikes_find(bins, count, config, alarms, NULL);
	int64_t end_ns = (in->last_bin + 1) * in->bin_ns;
	bool whole = in->counts || in->days_only ||
	    end_ns - in->last_ns < in->bin_ns / 20;
	if (n == 0 || whole || (*alarms)[n - 1].direction != SPIKE_FALL ||
	    (*alarms)[n - 1].detected != count - 1)
		return n;
	free(*alarms);
	bins[count - 1].missing = true;
	return spikes_find(bins, count, config, alarms, NULL);
}

static const char *bin_time(
    const struct spike_input *in, size_t bin, char to[40])
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
	{ .key = "port" },
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
static json_t *alarm_json(const struct spike_input *in,
    const struct spike_alarm *a, const struct port_series *series)
{
	char onset[40], detected[40], end[40];
	return json_pack(
	    "{s:s?, s:o, s:s, s:s, s:s, s:s?, s:f, s:o, s:o, s:s, s:f, s:s}",
	    "signature", *series->signature ? series->signature : NULL, "port",
	    series->port == SPIKE_NO_PORT ? json_null()
					  : json_integer(series->port),
	    "direction", way_name(a), "onset", bin_time(in, a->onset, onset),
	    "detected", bin_time(in, a->detected, detected), "end",
	    a->ended ? bin_time(in, a->end, end) : NULL, "bin_s",
	    (double)in->bin_ns / NS_PER_S, "observed", rounded(a->observed),
	    "expected", rounded(a->expected), "test", a->test,
	    "average_run_length", in->run_length, "average_run_length_unit",
	    "bins");
}

static void print_text(const struct spike_input *in,
    const struct spike_alarm *a, const struct port_series *series, bool first)
{
	char onset[40], detected[40], end[40], port[8] = "-";
	if (series->port != SPIKE_NO_PORT)
		snprintf(port, sizeof(port), "%d", series->port);
	if (first)
		printf("%-4s  %-20s  %-20s  %-20s  %8s  %8s  %5s  %s\n", "",
		    "ONSET", "DETECTED", "END", "OBSERVED", "EXPECTED", "PORT",
		    "SIGNATURE");
	printf("%-4s  %-20s  %-20s  %-20s  %8.1f  %8.1f  %5s  %s\n",
	    way_name(a), bin_time(in, a->onset, onset),
	    bin_time(in, a->detected, detected),
	    a->ended ? bin_time(in, a->end, end) : "still on", a->observed,
	    a->expected, port, *series->signature ? series->signature : "-");
}

static void print_summary(const struct option_values *values,
    const struct output *output, size_t series, size_t bins, size_t alarms)
{
	if (output->form == OUTPUT_TEXT)
		printf("%s%zu alarm%s in %zu series of %zu bins of %s; at most "
		       "one false one in %s bins on average, all together\n",
		    alarms ? "\n" : "", alarms, alarms == 1 ? "" : "s", series,
		    bins, option_text(values, "bin"),
		    option_text(values, "run-length"));
	if (bins <= (size_t)option_integer(values, "warmup"))
		fprintf(stderr,
		    "sonde spikes: only %zu bins, no more than "
		    "the warm-up: nothing was judged\n",
		    bins);
}

static int print_spikes(const struct spike_input *in, struct output *output,
    const struct spike_alarm *alarm, const struct port_series *series,
    struct errmsg *msg)
{
	if (output->form == OUTPUT_TEXT) {
		print_text(in, alarm, series, !output->titled);
		output->titled = true;
		return 0;
	}
	json_t *json = alarm_json(in, alarm, series);
	int err = output_row(output, json, msg);
	json_decref(json);
	return err;
}

static int report(const struct spike_input *in,
    const struct option_values *values, struct output *output,
    struct errmsg *msg)
{
	size_t count = (size_t)(in->last_bin - in->first_bin + 1);
	const struct spike_config config = {
		.warmup_bins = (size_t)option_integer(values, "warmup"),
		.run_length = in->run_length * 2 * (double)in->series_count,
		.season_bins = (size_t)option_integer(values, "season"),
	};
	bool gaps = strcmp(option_text(values, "gaps"), "missing") == 0;
	size_t all = 0, at = 0;
	int err = 0;
	while (at < in->count && !err) {
		struct spike_bin *bins = xcalloc(count, sizeof(*bins));
		struct spike_alarm *alarms = NULL;
		const struct port_series *series =
		    &in->series[in->list[at].series];
		if (gaps)
			spike_input_mark_gaps(in, bins, count);
		at += spike_input_count(
		    in, in->list + at, in->list + in->count, bins);
		size_t n = find_in_series(in, bins, count, &config, &alarms);
		for (size_t i = 0; i < n && !err; i++)
			err = print_spikes(in, output, &alarms[i], series, msg);
		all += n;
		free(alarms);
		free(bins);
	}
	if (err)
		return err;
	if (output->form == OUTPUT_CSV)
		output_end(output);
	print_summary(values, output, in->series_count, count, all);
	return 0;
}

static int check_bins(const struct spike_input *in,
    const struct option_values *values, struct errmsg *msg)
{
	int64_t bins = in->last_bin - in->first_bin + 1;
	int64_t season = option_integer(values, "season");
	if (bins > BINS_MOST)
		return err_set(msg, ERR_LIMIT,
		    "%.150s: %" PRId64 " bins, "
		    "expected at most %d: choose a longer --bin",
		    in->path, bins, BINS_MOST);
	if (in->days_only && in->bin_ns % (86400 * NS_PER_S) != 0)
		return err_set(msg, ERR_USAGE,
		    "%.150s: its times are dates, expected a --bin of whole "
		    "days",
		    in->path);
	if (season > 0 && bins <= SPIKE_SEASONS_LEARNT * season)
		return err_set(msg, ERR_USAGE,
		    "--season %" PRId64 ": two seasons are learnt from, "
		    "expected more than %" PRId64 " bins, got %" PRId64,
		    season, SPIKE_SEASONS_LEARNT * season, bins);
	return 0;
}

static int find_all(const struct option_values *values)
{
	const char *const *operands;
	option_operands(values, &operands);
	struct spike_input in = {
		.path = operands[0],
		.bin_ns = option_duration_ns(values, "bin"),
		.run_length = option_number(values, "run-length"),
	};
	struct errmsg msg = { "" };
	struct output output;
	int err = output_init(&output, values, "sonde-spike/1", columns, &msg);
	if (!err && option_given(values, "columns"))
		err = spike_choice_parse(
		    &in.choice, option_text(values, "columns"), &msg);
	if (!err)
		err = spike_input_load(&in, &msg);
	if (!err)
		err = check_bins(&in, values, &msg);
	if (!err) {
		spike_input_sort(&in);
		err = report(&in, values, &output, &msg);
	}
	spike_input_fini(&in);
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
