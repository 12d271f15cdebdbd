/* SPDX-License-Identifier: ISC */
/* The options of nodes. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "probes/net/sim/sim-option.h"

/* One of the words before the first '+', then "+flow-label", "+tos". */
static int read_ecmp(
    struct sim_words *words, const struct sim_option *row, void *to)
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

/* Another word for extension-length none. */
static int read_old_extensions(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	(void)words;
	(void)row;
	((struct sim_behaviour *)to)->extension_length = SIM_LENGTH_NONE;
	return 0;
}

/* "linux", or a number a second. */
static int read_limit(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	struct sim_behaviour *how = to;
	if (!sim_words_take(words, "linux"))
		return sim_read_number(words, row, to);
	how->limit_scope = SIM_LIMIT_LINUX;
	how->limit_rate = 1;
	how->limit_burst = 6;
	how->limit_v6_ns = 62 * NS_PER_MS;
	return 0;
}

/* "40", or "10..90" of which each counter draws its own. */
static int read_id_rate(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	(void)row;
	struct sim_behaviour *how = to;
	const char *word = sim_words_next(words);
	char *end = NULL;
	if (word && isdigit((unsigned char)*word)) {
		how->ip_id_rate_lo = how->ip_id_rate_hi =
		    (double)strtoul(word, &end, 10);
		if (strncmp(end, "..", 2) == 0 &&
		    isdigit((unsigned char)end[2]))
			how->ip_id_rate_hi = (double)strtoul(end + 2, &end, 10);
	}
	if (!end || *end || how->ip_id_rate_hi > 60000 ||
	    how->ip_id_rate_hi < how->ip_id_rate_lo)
		return sim_words_expected(words,
		    "a number from 0 to 60000 or a range such as 10..90");
	return 0;
}

/* What iptables and nftables call them, with their codes (RFC 792, RFC 1812,
 * RFC 4443). */
static const struct {
	const char *name;
	uint8_t code[2];
} rejections[] = {
	{ "net-unreachable", { 0, 0 } },
	{ "host-unreachable", { 1, 3 } },
	{ "proto-unreachable", { 2, 1 } },
	{ "port-unreachable", { 3, 4 } },
	{ "net-prohibited", { 9, 1 } },
	{ "host-prohibited", { 10, 1 } },
	{ "admin-prohibited", { 13, 1 } },
};

static int read_rejection(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	(void)row;
	struct sim_behaviour *how = to;
	const char *word = sim_words_next(words);
	how->reject_reset = word && strcmp(word, "tcp-reset") == 0;
	if (how->reject_reset)
		return 0;
	for (size_t i = 0; word && i < sizeof(rejections) / sizeof(*rejections);
	     i++)
		if (strcmp(word, rejections[i].name) == 0) {
			memcpy(how->reject_code, rejections[i].code, 2);
			return 0;
		}
	char *end = NULL;
	unsigned long code = word && isdigit((unsigned char)*word)
	    ? strtoul(word, &end, 10)
	    : 256;
	if (code > 255 || *end)
		return sim_words_expected(words,
		    "a code from 0 to 255, tcp-reset or a name such as "
		    "admin-prohibited");
	how->reject_code[0] = how->reject_code[1] = (uint8_t)code;
	return 0;
}

/* "dscp", "ecn", or both with ',' between: bits that do not get through. */
static int read_bleach(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	(void)row;
	struct sim_behaviour *how = to;
	const char *word = sim_words_next(words);
	if (word && strcmp(word, "dscp") == 0)
		how->tos_clear |= 0xfc;
	else if (word && strcmp(word, "ecn") == 0)
		how->tos_clear |= 0x03;
	else if (word && strcmp(word, "dscp,ecn") == 0)
		how->tos_clear = 0xff;
	else
		return sim_words_expected(words, "dscp, ecn or dscp,ecn");
	return 0;
}

static int read_dscp(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	(void)row;
	struct sim_behaviour *how = to;
	uint64_t value;
	int err = sim_words_integer(words, &value, 0, 63);
	how->tos_clear |= 0xfc;
	how->tos_set = (uint8_t)(value << 2);
	return err;
}

/* A better next hop, once for each family. */
static int read_redirect(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	(void)row;
	struct sim_behaviour *how = to;
	struct addr a = { 0 };
	int err = sim_words_address(words, &a);
	if (err < 0)
		return err;
	how->redirect = true;
	how->redirect_to[a.family == 6] = a;
	return 0;
}

static int read_late(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	struct sim_behaviour *how = to;
	if (how->late_share <= 0)
		how->late_share = 1;
	return sim_words_duration(words, SIM_FIELD(int64_t, to, row));
}

static int read_protos(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	uint8_t *protos = SIM_FIELD(uint8_t, to, row);
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
    struct sim_words *words, const struct sim_option *row, void *to)
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
    struct sim_words *words, const struct sim_option *row, void *to)
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

/* Into a pair of addresses, by family. */
static int read_from(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	struct addr a = { 0 };
	int err = sim_words_address(words, &a);
	if (err < 0)
		return err;
	SIM_FIELD(struct addr, to, row)[a.family == 6] = a;
	return 0;
}

/* "5ms", "-5ms". */
static int read_offset(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	(void)row;
	struct sim_behaviour *how = to;
	const char *word = sim_words_next(words);
	bool minus = word && *word == '-';
	const char *rest = word
	    ? sim_read_duration(word + minus, &how->clock_offset_ns)
	    : NULL;
	if (!rest || *rest)
		return sim_words_expected(
		    words, "a time such as 5ms or -1s, at most 600s");
	if (minus)
		how->clock_offset_ns = -how->clock_offset_ns;
	return 0;
}

/* "20ppm", "-0.5ppm". */
static int read_skew(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	(void)row;
	static const char *const units[] = { "ppm", NULL };
	static const double scales[] = { 1 };
	struct sim_behaviour *how = to;
	const char *word = sim_words_next(words), *rest;
	bool minus = word && *word == '-';
	if (!word ||
	    !sim_words_scaled(
		word + minus, units, scales, &how->clock_skew_ppm, &rest) ||
	    *rest || how->clock_skew_ppm > 100000)
		return sim_words_expected(
		    words, "a skew such as 20ppm or -0.5ppm");
	if (minus)
		how->clock_skew_ppm = -how->clock_skew_ppm;
	return 0;
}

/* "dns,http:8080": services, each at its port or another. */
static int read_services(
    struct sim_words *words, const struct sim_option *row, void *to)
{
	(void)row;
	static const struct {
		const char *name;
		uint16_t port;
	} kinds[SIM_SERVICES] = { [SIM_STAMP] = { "stamp", 862 },
		[SIM_DNS] = { "dns", 53 },
		[SIM_NTP] = { "ntp", 123 },
		[SIM_HTTP] = { "http", 80 } };
	struct sim_behaviour *how = to;
	const char *word = sim_words_next(words);
	while (word && *word) {
		size_t len = strcspn(word, ",:"), kind = 0;
		while (kind < SIM_SERVICES &&
		    (strlen(kinds[kind].name) != len ||
			strncmp(kinds[kind].name, word, len) != 0))
			kind++;
		if (kind == SIM_SERVICES)
			break;
		unsigned long port = kinds[kind].port;
		char *end = (char *)word + len;
		if (*end == ':')
			port = isdigit((unsigned char)end[1])
			    ? strtoul(end + 1, &end, 10)
			    : 0;
		if (port == 0 || port > 65535)
			break;
		how->services[kind] = (uint16_t)port;
		if (!*end)
			return 0;
		if (*end != ',')
			break;
		word = end + 1;
	}
	return sim_words_expected(words,
	    "stamp, dns, ntp, http, each with :PORT or without, with ',' "
	    "between");
}

#define OF(field) offsetof(struct sim_behaviour, field)
static const struct sim_option behaviours[] = {
	{ "ecmp", .read = read_ecmp },
	{ "ip-id", sim_read_choice, .field = OF(ip_id),
	    .choices = "shared,per-address,per-interface,per-destination,"
		       "random,zero" },
	{ "ip-id-rate", .read = read_id_rate },
	{ "ip-id-swapped", sim_read_flag, .field = OF(ip_id_swapped) },
	{ "silent", sim_read_flag, .field = OF(silent) },
	{ "no-echo", sim_read_flag, .field = OF(no_echo) },
	{ "no-udp", sim_read_flag, .field = OF(no_udp) },
	{ "no-tcp", sim_read_flag, .field = OF(no_tcp) },
	{ "hidden", sim_read_flag, .field = OF(hidden) },
	{ "interface-info", sim_read_flag, .field = OF(interface_info) },
	{ "extension-length", sim_read_choice, .field = OF(extension_length),
	    .choices = "right,none,17,octets" },
	{ "extension-checksum", sim_read_choice,
	    .field = OF(extension_checksum), .choices = "right,zero,wrong" },
	{ "old-extensions", .read = read_old_extensions },
	{ "down", sim_read_flag, .field = OF(down) },
	{ "up", sim_read_no_flag, .field = OF(down) },
	{ "nat", read_from, .field = OF(nat) },
	{ "raw-quotes", sim_read_flag, .field = OF(nat_raw_quotes) },
	{ "snat", read_from, .field = OF(snat) },
	{ "stateful", sim_read_time, .field = OF(stateful_ns) },
	{ "clock-offset", .read = read_offset },
	{ "clock-skew", .read = read_skew },
	{ "serve", .read = read_services },
	{ "deny", read_protos, .field = OF(deny_protos) },
	{ "drop", read_protos, .field = OF(drop_protos) },
	{ "reject", read_protos, .field = OF(reject_protos) },
	{ "reject-with", .read = read_rejection },
	{ "reject-as-target", sim_read_flag, .field = OF(reject_as_target) },
	{ "inject-reset", sim_read_flag, .field = OF(inject_reset) },
	{ "redirect", .read = read_redirect },
	{ "quench", sim_read_flag, .field = OF(quench) },
	{ "bleach", .read = read_bleach },
	{ "dscp", .read = read_dscp },
	{ "ttl", sim_read_u8, .field = OF(ttl), .min = 1, .max = 255 },
	{ "quote", sim_read_u16, .field = OF(quote_bytes), .min = 28,
	    .max = 1200 },
	{ "limit", read_limit, .field = OF(limit_rate) },
	{ "burst", sim_read_number, .field = OF(limit_burst) },
	{ "limit-by", sim_read_choice, .field = OF(limit_scope),
	    .choices = "node,interface,destination" },
	{ "limit-v6", sim_read_time, .field = OF(limit_v6_ns) },
	{ "limit-echo", sim_read_flag, .field = OF(limit_echo) },
	{ "slow", sim_read_time, .field = OF(slow_ns) },
	{ "late", read_late, .field = OF(late_ns) },
	{ "late-share", sim_read_share, .field = OF(late_share) },
	{ "copies", sim_read_integer, .field = OF(copies), .min = 0,
	    .max = 100 },
	{ "forge", sim_read_flag, .field = OF(forge) },
	{ "mpls", .read = read_labels },
	{ "tcp", .read = read_ports },
	{ "reply-from", read_from, .field = OF(reply_from) },
	{ "answer-from", read_from, .field = OF(answer_from) },
	{ "answer-port", sim_read_u16, .field = OF(answer_port), .min = 1,
	    .max = 65535 },
	{ 0 },
};
#undef OF

int sim_words_behaviour(struct sim_words *words, struct sim_behaviour *how)
{
	int err = sim_read_options(words, behaviours, how);
	if (how->limit_rate > 0 && how->limit_burst < 1)
		how->limit_burst = 1;
	return err;
}
