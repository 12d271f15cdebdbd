/* SPDX-License-Identifier: ISC */
/* How options read their values, and the options of links. */
#include <string.h>

#include "probes/net/sim/sim-option.h"

int sim_read_flag(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	(void)words;
	*SIM_FIELD(bool, to, row) = true;
	return 0;
}

int sim_read_no_flag(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	(void)words;
	*SIM_FIELD(bool, to, row) = false;
	return 0;
}

static int read_share_up_to(struct sim_words *words,
    const struct sim_option *row, void *to, double most, const char *expected)
{
	static const char *const units[] = { "%", "", NULL };
	static const double scales[] = { 0.01, 1 };
	const char *rest;
	double *value = SIM_FIELD(double, to, row);
	if (!sim_words_scaled(
		sim_words_next(words), units, scales, value, &rest) ||
	    *rest || *value > most)
		return sim_words_expected(words, expected);
	return 0;
}

/* "90%", and 120% where more comes than fits. */
static int read_load(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	return read_share_up_to(
	    words, row, to, 10, "a share such as 90% or 1.2, at most 1000%");
}

int sim_read_integer(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	uint64_t value;
	int err = sim_words_integer(words, &value, row->min, row->max);
	*SIM_FIELD(uint32_t, to, row) = (uint32_t)value;
	return err;
}

int sim_read_u16(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	uint64_t value;
	int err = sim_words_integer(words, &value, row->min, row->max);
	*SIM_FIELD(uint16_t, to, row) = (uint16_t)value;
	return err;
}

int sim_read_u8(struct sim_words *words, const struct sim_option *row, void *to)
{
	uint64_t value;
	int err = sim_words_integer(words, &value, row->min, row->max);
	*SIM_FIELD(uint8_t, to, row) = (uint8_t)value;
	return err;
}

int sim_read_number(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	static const char *const units[] = { "/s", "", NULL };
	static const double scales[] = { 1, 1 };
	const char *rest;
	double *value = SIM_FIELD(double, to, row);
	if (!sim_words_scaled(
		sim_words_next(words), units, scales, value, &rest) ||
	    *rest || *value <= 0 || *value > 1e9)
		return sim_words_expected(words, "a number above 0");
	return 0;
}

int sim_read_share(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	return read_share_up_to(
	    words, row, to, 1, "a share such as 2% or 0.02, at most 100%");
}

int sim_read_rate(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	static const char *const units[] = { "k", "M", "G", "", NULL };
	static const double scales[] = { 1e3, 1e6, 1e9, 1 };
	const char *rest;
	double *value = SIM_FIELD(double, to, row);
	if (!sim_words_scaled(
		sim_words_next(words), units, scales, value, &rest) ||
	    *rest || *value < 1000 || *value > 1e12)
		return sim_words_expected(
		    words, "bits a second such as 64k, 10M or 1G");
	return 0;
}

int sim_read_size(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	static const char *const units[] = { "k", "M", "", NULL };
	static const double scales[] = { 1024, 1048576, 1 };
	const char *rest;
	double value;
	if (!sim_words_scaled(
		sim_words_next(words), units, scales, &value, &rest) ||
	    *rest || value > 1e9)
		return sim_words_expected(
		    words, "a size in bytes such as 1500, 64k or 1M");
	*SIM_FIELD(uint64_t, to, row) = (uint64_t)value;
	return 0;
}

int sim_read_time(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	return sim_words_duration(words, SIM_FIELD(int64_t, to, row));
}

/* One of the words between ',' in the row's list, as its place. */
int sim_read_choice(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	const char *word = sim_words_next(words);
	size_t len = word ? strlen(word) : 0;
	unsigned value = 0;
	for (const char *c = row->choices; len > 0; c++, value++) {
		size_t n = strcspn(c, ",");
		if (n == len && strncmp(c, word, n) == 0) {
			*SIM_FIELD(unsigned, to, row) = value;
			return 0;
		}
		c += n;
		if (!*c)
			break;
	}
	return sim_words_expected(words, row->choices);
}

/* "5ms", or "1ms..20ms" from which each link draws its own. */
static int read_delay(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	(void)row;
	struct sim_link *how = to;
	const char *word = sim_words_next(words);
	const char *rest =
	    word ? sim_read_duration(word, &how->delay_lo_ns) : NULL;
	how->delay_hi_ns = how->delay_lo_ns;
	if (rest && strncmp(rest, "..", 2) == 0)
		rest = sim_read_duration(rest + 2, &how->delay_hi_ns);
	if (!rest || *rest || how->delay_hi_ns < how->delay_lo_ns)
		return sim_words_expected(
		    words, "a time such as 5ms or a range such as 1ms..20ms");
	return 0;
}

#define OF(field) offsetof(struct sim_link, field)
static const struct sim_option links[] = {
	{ "delay", .read = read_delay },
	{ "jitter", sim_read_time, .field = OF(jitter_ns) },
	{ "loss", sim_read_share, .field = OF(loss) },
	{ "duplicate", sim_read_share, .field = OF(duplicate) },
	{ "rate", sim_read_rate, .field = OF(rate_bps) },
	{ "queue", sim_read_size, .field = OF(queue_bytes) },
	{ "cost", sim_read_integer, .field = OF(cost), .min = 1, .max = 65535 },
	{ "mtu", sim_read_integer, .field = OF(mtu_bytes), .min = 68,
	    .max = 65535 },
	{ "load", read_load, .field = OF(load) },
	{ "down", sim_read_flag, .field = OF(down) },
	{ "up", sim_read_no_flag, .field = OF(down) },
	{ "black-hole", sim_read_flag, .field = OF(black_hole) },
	{ 0 },
};
#undef OF

int sim_read_options(
    struct sim_words *words, const struct sim_option *rows, void *to)
{
	for (;;) {
		const char *word = sim_words_peek(words);
		const struct sim_option *row = rows;
		while (word && row->name && strcmp(row->name, word) != 0)
			row++;
		if (!word || !row->name)
			return 0;
		words->at++;
		int err = row->read(words, row, to);
		if (err)
			return err;
	}
}

int sim_words_link(struct sim_words *words, struct sim_link *how)
{
	return sim_read_options(words, links, how);
}

int sim_words_ways(
    struct sim_words *words, struct sim_link *there, struct sim_link *back)
{
	int both_at = words->at;
	int err = sim_words_link(words, there);
	if (err < 0)
		return err;
	words->at = both_at;
	err = sim_words_link(words, back);
	if (!err && sim_words_take(words, "back"))
		err = sim_words_link(words, back);
	return err ? err : sim_words_end(words);
}
