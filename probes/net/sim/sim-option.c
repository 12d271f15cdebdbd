/* SPDX-License-Identifier: ISC */
/*
 * The options of nodes and links: rows in two tables; a row knows how to read
 * its value.
 */
#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "probes/net/sim/sim-parse.h"

/* How an option reads its value into the field at an offset. */
struct word_row;
typedef int read_fn(
    struct sim_words *words, const struct word_row *row, void *to);
struct word_row {
	const char *name;
	read_fn *read;
	size_t field;
	uint64_t min, max;
};

#define FIELD(type, to, row) ((type *)(void *)((char *)(to) + (row)->field))

static int read_flag(
    struct sim_words *words, const struct word_row *row, void *to)
{
	(void)words;
	*FIELD(bool, to, row) = true;
	return 0;
}

static int read_integer(
    struct sim_words *words, const struct word_row *row, void *to)
{
	uint64_t value;
	int err = sim_words_integer(words, &value, row->min, row->max);
	*FIELD(uint32_t, to, row) = (uint32_t)value;
	return err;
}

static int read_u16(
    struct sim_words *words, const struct word_row *row, void *to)
{
	uint64_t value;
	int err = sim_words_integer(words, &value, row->min, row->max);
	*FIELD(uint16_t, to, row) = (uint16_t)value;
	return err;
}

static int read_u8(
    struct sim_words *words, const struct word_row *row, void *to)
{
	uint64_t value;
	int err = sim_words_integer(words, &value, row->min, row->max);
	*FIELD(uint8_t, to, row) = (uint8_t)value;
	return err;
}

static int read_number(
    struct sim_words *words, const struct word_row *row, void *to)
{
	static const char *const units[] = { "/s", "", NULL };
	static const double scales[] = { 1, 1 };
	const char *rest;
	double *value = FIELD(double, to, row);
	if (!sim_words_scaled(
		sim_words_next(words), units, scales, value, &rest) ||
	    *rest || *value <= 0 || *value > 1e9)
		return sim_words_expected(words, "a number above 0");
	return 0;
}

static int read_share(
    struct sim_words *words, const struct word_row *row, void *to)
{
	static const char *const units[] = { "%", "", NULL };
	static const double scales[] = { 0.01, 1 };
	const char *rest;
	double *value = FIELD(double, to, row);
	if (!sim_words_scaled(
		sim_words_next(words), units, scales, value, &rest) ||
	    *rest || *value > 1)
		return sim_words_expected(
		    words, "a share such as 2% or 0.02, at most 100%");
	return 0;
}

static int read_rate(
    struct sim_words *words, const struct word_row *row, void *to)
{
	static const char *const units[] = { "k", "M", "G", "", NULL };
	static const double scales[] = { 1e3, 1e6, 1e9, 1 };
	const char *rest;
	double *value = FIELD(double, to, row);
	if (!sim_words_scaled(
		sim_words_next(words), units, scales, value, &rest) ||
	    *rest || *value < 1000 || *value > 1e12)
		return sim_words_expected(
		    words, "bits a second such as 64k, 10M or 1G");
	return 0;
}

static int read_size(
    struct sim_words *words, const struct word_row *row, void *to)
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
	*FIELD(uint64_t, to, row) = (uint64_t)value;
	return 0;
}

static int read_time(
    struct sim_words *words, const struct word_row *row, void *to)
{
	return sim_words_duration(words, FIELD(int64_t, to, row));
}

/* "5ms", or "1ms..20ms" from which each link draws its own. */
static int read_delay(
    struct sim_words *words, const struct word_row *row, void *to)
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

/* One of the words before the first '+', then "+flow-label", "+tos". */
static int read_ecmp(
    struct sim_words *words, const struct word_row *row, void *to)
{
	static const char *const kinds[] = { "5-tuple", "first-4-octets",
		"src-dst", "per-packet" };
	(void)row;
	struct sim_behaviour *how = to;
	const char *word = sim_words_next(words);
	size_t len = word ? strcspn(word, "+") : 0, kind = 4;
	for (size_t i = 0; word && i < 4; i++)
		if (len == strlen(kinds[i]) && !strncmp(word, kinds[i], len))
			kind = i;
	if (!word || kind == 4)
		return sim_words_expected(words,
		    "5-tuple, first-4-octets, "
		    "src-dst or per-packet");
	how->hash = (enum sim_hash)kind;
	how->hash_flow_label = how->hash_tos = false;
	for (word += len; *word == '+'; word += len) {
		len = 1 + strcspn(word + 1, "+");
		if (len == 11 && strncmp(word, "+flow-label", len) == 0)
			how->hash_flow_label = true;
		else if (len == 4 && strncmp(word, "+tos", len) == 0)
			how->hash_tos = true;
		else
			return sim_words_expected(
			    words, "+flow-label or +tos after the hash");
	}
	return 0;
}

static int read_ip_id(
    struct sim_words *words, const struct word_row *row, void *to)
{
	static const char *const kinds[] = { "shared", "per-address", "random",
		"zero" };
	(void)row;
	const char *word = sim_words_next(words);
	for (size_t i = 0; word && i < 4; i++)
		if (strcmp(word, kinds[i]) == 0) {
			struct sim_behaviour *how = to;
			how->ip_id = (enum sim_ip_id)i;
			return 0;
		}
	return sim_words_expected(words, "shared, per-address, random or zero");
}

static int read_protos(
    struct sim_words *words, const struct word_row *row, void *to)
{
	uint8_t *protos = FIELD(uint8_t, to, row);
	const char *word = sim_words_next(words);
	while (word) {
		size_t len = strcspn(word, ",");
		if (len == 4 && strncmp(word, "icmp", len) == 0)
			*protos |= SIM_PROTO_ICMP;
		else if (len == 3 && strncmp(word, "udp", len) == 0)
			*protos |= SIM_PROTO_UDP;
		else if (len == 3 && strncmp(word, "tcp", len) == 0)
			*protos |= SIM_PROTO_TCP;
		else
			break;
		if (!word[len])
			return 0;
		word += len + 1;
	}
	return sim_words_expected(words, "icmp, udp, tcp, with ',' between");
}

/* "16,24": the numbers into values, how many they are. */
static int numbers(
    struct sim_words *words, uint32_t *values, size_t size, uint32_t max)
{
	const char *word = sim_words_next(words);
	size_t count = 0;
	for (char *end; word && isdigit((unsigned char)*word); word = end + 1) {
		unsigned long value = strtoul(word, &end, 10);
		if (value > max || count == size)
			break;
		values[count++] = (uint32_t)value;
		if (!*end)
			return (int)count;
		if (*end != ',')
			break;
	}
	return sim_words_expected(words, "numbers with ',' between");
}

static int read_labels(
    struct sim_words *words, const struct word_row *row, void *to)
{
	(void)row;
	struct sim_behaviour *how = to;
	int count = numbers(words, how->labels, SIM_MAX_LABELS, 0xfffff);
	if (count < 0)
		return count;
	how->label_count = (uint8_t)count;
	return 0;
}

static int read_ports(
    struct sim_words *words, const struct word_row *row, void *to)
{
	(void)row;
	struct sim_behaviour *how = to;
	uint32_t ports[SIM_MAX_PORTS] = { 0 };
	int count = numbers(words, ports, SIM_MAX_PORTS, 65535);
	if (count < 0)
		return count;
	for (int i = 0; i < count; i++)
		how->ports[i] = (uint16_t)ports[i];
	how->port_count = (uint8_t)count;
	return 0;
}

static int read_reply_from(
    struct sim_words *words, const struct word_row *row, void *to)
{
	(void)row;
	struct sim_behaviour *how = to;
	struct addr a = { 0 };
	int err = sim_words_address(words, &a);
	if (err < 0)
		return err;
	how->reply_from[a.family == 6] = a;
	return 0;
}

#define OF(field) offsetof(struct sim_behaviour, field)
static const struct word_row behaviours[] = {
	{ "ecmp", read_ecmp, 0, 0, 0 },
	{ "ip-id", read_ip_id, 0, 0, 0 },
	{ "ip-id-rate", read_integer, OF(ip_id_rate), 0, 60000 },
	{ "silent", read_flag, OF(silent), 0, 0 },
	{ "no-echo", read_flag, OF(no_echo), 0, 0 },
	{ "no-udp", read_flag, OF(no_udp), 0, 0 },
	{ "no-tcp", read_flag, OF(no_tcp), 0, 0 },
	{ "hidden", read_flag, OF(hidden), 0, 0 },
	{ "interface-info", read_flag, OF(interface_info), 0, 0 },
	{ "old-extensions", read_flag, OF(old_extensions), 0, 0 },
	{ "down", read_flag, OF(down), 0, 0 },
	{ "deny", read_protos, OF(deny_protos), 0, 0 },
	{ "drop", read_protos, OF(drop_protos), 0, 0 },
	{ "ttl", read_u8, OF(ttl), 1, 255 },
	{ "quote", read_u16, OF(quote_bytes), 28, 1200 },
	{ "limit", read_number, OF(limit_rate), 0, 0 },
	{ "burst", read_number, OF(limit_burst), 0, 0 },
	{ "slow", read_time, OF(slow_ns), 0, 0 },
	{ "mpls", read_labels, 0, 0, 0 },
	{ "tcp", read_ports, 0, 0, 0 },
	{ "reply-from", read_reply_from, 0, 0, 0 },
	{ NULL, NULL, 0, 0, 0 },
};
#undef OF

#define OF(field) offsetof(struct sim_link, field)
static const struct word_row links[] = {
	{ "delay", read_delay, 0, 0, 0 },
	{ "jitter", read_time, OF(jitter_ns), 0, 0 },
	{ "loss", read_share, OF(loss), 0, 0 },
	{ "duplicate", read_share, OF(duplicate), 0, 0 },
	{ "rate", read_rate, OF(rate_bps), 0, 0 },
	{ "queue", read_size, OF(queue_bytes), 0, 0 },
	{ "cost", read_integer, OF(cost), 1, 65535 },
	{ "mtu", read_integer, OF(mtu_bytes), 68, 65535 },
	{ NULL, NULL, 0, 0, 0 },
};
#undef OF

static int read_options(
    struct sim_words *words, const struct word_row *rows, void *to)
{
	for (;;) {
		const char *word = sim_words_peek(words);
		const struct word_row *row = rows;
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

int sim_words_behaviour(struct sim_words *words, struct sim_behaviour *how)
{
	int err = read_options(words, behaviours, how);
	if (how->limit_rate > 0 && how->limit_burst < 1)
		how->limit_burst = 1;
	return err;
}

int sim_words_link(struct sim_words *words, struct sim_link *how)
{
	return read_options(words, links, how);
}
