/* SPDX-License-Identifier: ISC */
/*
 * Both forms have the same members in the same order; their one list is
 * compiled twice, so that each name is a copy of constant length and no form is
 * asked for member by member.  Nothing that a finding holds needs quotes in CSV
 * or escapes in JSON.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/formats/csv-cell.h"
#include "probes/cli/sensor-row.h"

#define INLINE static inline __attribute__((always_inline))

const char sensor_row_titles[] =
    "src,verdict,signature,proto,dport,packets,targets,first,last,"
    "payload_hash,targets_are,icmp_type,icmp_code,victim,size_bytes,ttl_min,"
    "ttl_max,spoofable,evicted,ports,ports_are,attempts,not_judged,odds,rule,"
    "rule_version,addresses,net,sources,scanner,peak_10s,forged,scale" CSV_END;

const char *sensor_proto_name(int proto, char to[static 8])
{
	switch (proto) {
	case PACKET_TCP: return "tcp";
	case PACKET_UDP: return "udp";
	case PACKET_ICMP: return "icmp";
	case PACKET_ICMP6: return "icmp6";
	default: snprintf(to, 8, "ip-%d", proto); return to;
	}
}

INLINE char *put(char *at, const char *bytes, size_t len)
{
	memcpy(at, bytes, len);
	return at + len;
}
#define PUT(at, text) put(at, text, sizeof(text) - 1)
/* A member of an object, or the cell of a row. */
#define KEY(at, name) (json ? PUT(at, ",\"" name "\":") : PUT(at, ","))

static char *put_digits(char *at, uint64_t n)
{
	char text[20];
	size_t from = sizeof(text);
	do
		text[--from] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	return put(at, text + from, sizeof(text) - from);
}

INLINE char *put_number(char *at, uint64_t n)
{
	if (n > 9)
		return put_digits(at, n);
	*at = (char)('0' + n);
	return at + 1;
}

INLINE char *put_null(char *at, bool json)
{
	return json ? PUT(at, "null") : at;
}

INLINE char *put_optional(char *at, bool json, bool is_there, uint64_t n)
{
	return is_there ? put_number(at, n) : put_null(at, json);
}

INLINE char *put_text(char *at, bool json, const char *text)
{
	if (!text)
		return put_null(at, json);
	if (json)
		*at++ = '"';
	at = put(at, text, strlen(text));
	if (json)
		*at++ = '"';
	return at;
}

INLINE char *put_bool(char *at, bool value)
{
	return value ? PUT(at, "true") : PUT(at, "false");
}

/* Most findings lie in few seconds: only the fraction is formatted again. */
static const char *second_text(struct sensor_row *row, int64_t second)
{
	struct sensor_second *known =
	    &row->seconds[(uint64_t)second % SENSOR_SECONDS];
	if (known->second != second || known->text[0] == '\0') {
		known->second = second;
		walltime_text(
		    (struct walltime){ second * NS_PER_S }, known->text);
	}
	return known->text;
}

static char *put_time(
    struct sensor_row *row, char *at, bool json, struct walltime t)
{
	const char *text = second_text(row, t.ns / NS_PER_S);
	uint32_t ns = (uint32_t)(t.ns % NS_PER_S);
	if (json)
		*at++ = '"';
	at = put(at, text, 19);
	*at = '.';
	for (int i = 9; i > 0; ns /= 10)
		at[i--] = (char)('0' + ns % 10);
	at += 10;
	*at++ = 'Z';
	if (json)
		*at++ = '"';
	return at;
}

/* The /48 around an IPv6 source, as sites have it. */
static char *put_net(char *at, bool json, const struct addr *src)
{
	char text[PREFIX_TEXT_LEN];
	if (src->family != 6)
		return put_null(at, json);
	struct prefix net = prefix_of(src, 48);
	return put_text(at, json, prefix_text(&net, text));
}

static char *put_addr(char *at, bool json, const struct addr *addr)
{
	char text[ADDR_TEXT_LEN];
	return put_text(at, json, addr->family ? addr_text(addr, text) : NULL);
}

static const char *quality_name(enum distinct_quality quality)
{
	switch (quality) {
	case DISTINCT_IS_EXACT: return "exact";
	case DISTINCT_IS_ESTIMATE: return "estimate";
	case DISTINCT_IS_AT_LEAST: break;
	}
	return "at-least";
}

static char *put_hash(char *at, bool json, const struct finding *f)
{
	char hash[HEX_TEXT_LEN(PAYLOAD_HASH_LEN)];
	return put_text(at, json,
	    f->has_hash ? hex_text(f->hash, sizeof(f->hash), hash) : NULL);
}

INLINE char *put_kind(char *at, bool json, const struct finding *f)
{
	char proto[8];
	at = put_text(KEY(at, "verdict"), json, verdict_name(f->verdict));
	at = put_text(KEY(at, "signature"), json, signature_name(f->signature));
	at = put_text(KEY(at, "proto"), json,
	    f->proto == FINDING_NONE ? NULL
				     : sensor_proto_name(f->proto, proto));
	return put_optional(KEY(at, "dport"), json, f->dport != FINDING_NONE,
	    (uint64_t)f->dport);
}

/* Of a flood as one event. */
INLINE char *put_flood(char *at, bool json, const struct finding *f)
{
	at = put_optional(
	    KEY(at, "peak_10s"), json, f->flood_peak > 0, f->flood_peak);
	at = KEY(at, "forged");
	at = f->flood_peak == 0 || f->flood_forged == FLOOD_CANNOT_TELL
	    ? put_null(at, json)
	    : put_bool(at, f->flood_forged == FLOOD_FORGED);
	return put_optional(KEY(at, "scale"), json,
	    f->flood_peak > 0 && f->flood_scale > 0, (uint64_t)f->flood_scale);
}

INLINE char *put_reasons(const struct sensor_row *row, char *at,
    const bool json, const struct finding *f)
{
	at = put_optional(KEY(at, "odds"), json, f->odds > 0, f->odds);
	at = put_text(KEY(at, "rule"), json, f->rule);
	at = put_number(KEY(at, "rule_version"), f->rule_version);
	at = put_number(KEY(at, "addresses"), f->addresses);
	at = put_net(KEY(at, "net"), json, &f->src);
	at = put_optional(KEY(at, "sources"), json, f->sources > 0, f->sources);
	at = put_text(KEY(at, "scanner"), json,
	    known_scanners_find(row->scanners, &f->src));
	return put_flood(at, json, f);
}

INLINE char *put_members(
    struct sensor_row *row, char *at, const bool json, const struct finding *f)
{
	bool icmp = f->icmp != FINDING_NONE;
	at = put_kind(at, json, f);
	at = put_number(KEY(at, "packets"), f->packets);
	at = put_number(KEY(at, "targets"), f->targets);
	at = put_time(row, KEY(at, "first"), json, f->first);
	at = put_time(row, KEY(at, "last"), json, f->last);
	at = put_hash(KEY(at, "payload_hash"), json, f);
	at = put_text(
	    KEY(at, "targets_are"), json, quality_name(f->targets_quality));
	at = put_optional(
	    KEY(at, "icmp_type"), json, icmp, (unsigned)f->icmp >> 8);
	at = put_optional(
	    KEY(at, "icmp_code"), json, icmp, (unsigned)f->icmp & 255);
	at = put_addr(KEY(at, "victim"), json, &f->victim);
	at = put_number(KEY(at, "size_bytes"), f->size_bytes);
	at = put_number(KEY(at, "ttl_min"), f->ttl_min);
	at = put_number(KEY(at, "ttl_max"), f->ttl_max);
	at = put_bool(KEY(at, "spoofable"), f->spoofable);
	at = put_bool(KEY(at, "evicted"), f->evicted);
	at = put_number(KEY(at, "ports"), f->ports);
	at = put_text(
	    KEY(at, "ports_are"), json, quality_name(f->ports_quality));
	at = put_number(KEY(at, "attempts"), f->attempts);
	at = put_number(KEY(at, "not_judged"), f->not_judged);
	return put_reasons(row, at, json, f);
}

char *sensor_row_json(struct sensor_row *row, char *to, const struct finding *f)
{
	char *at = PUT(to, "{\"schema\":\"" SENSOR_SCHEMA "\",\"src\":");
	at = put_addr(at, true, &f->src);
	return PUT(put_members(row, at, true, f), "}\n");
}

char *sensor_row_csv(struct sensor_row *row, char *to, const struct finding *f)
{
	char *at = put_addr(to, false, &f->src);
	return PUT(put_members(row, at, false, f), CSV_END);
}
