/* SPDX-License-Identifier: ISC */
/* What the sensor reports of a source: one class of its packets, summed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "lib/sketch/census.h"
#include "probes/sensor/detect/detector.h"
#include "probes/sensor/detect/flood-watch.h"
#include "probes/sensor/payload-store.h"

#define FINDING_NONE (-1)

/* What an ICMP error quoted: the victim's packet as it was when it left, so
 * that dport is the port that was attacked. */
struct finding_quote {
	bool is_there;
	uint8_t proto;
	uint16_t sport, dport; /* 0: it has none */
};

struct finding {
	struct addr src;  /* family 0: of `sources` together.  Of an IPv6 source
			     that used several addresses: its /64 */
	uint32_t sources; /* at least so many; 0: of src alone */
	uint32_t addresses; /* of the /64, that were used; else 1 */
	struct addr victim; /* backscatter: who was attacked, by the packet
			       that an ICMP error quotes, else src; else
			       family 0 */
	struct finding_quote quote; /* of that packet */
	enum verdict verdict;
	uint64_t odds; /* an innocent source does this less often than once in
			  so many; 0: not stated */
	const char *rule;
	uint16_t rule_version;
	enum signature signature;
	int proto;      /* FINDING_NONE: several */
	int dport;      /* the one with most packets; FINDING_NONE: no
			   ports, or none that stands out */
	int icmp;       /* type << 8 | code, or FINDING_NONE */
	uint32_t ports; /* distinct ones that were asked for */
	enum distinct_quality ports_quality;
	uint64_t packets;
	uint64_t size_bytes;
	uint64_t attempts;   /* of the source, since it is known */
	uint64_t not_judged; /* of these, of which too much was forgotten */
	uint32_t targets;
	enum distinct_quality targets_quality;
	struct census census; /* of the targets; empty of several sources */
	struct walltime first, last;
	bool has_hash;
	uint8_t hash[PAYLOAD_HASH_LEN]; /* of the first payload */
	/* Of a flood as one event (flood-watch.h): the most packets in 10 s, 0:
	 * this is none; are its sources forged; what the victim got for each
	 * packet that was seen, 0: not known. */
	uint32_t flood_peak;
	enum flood_forged flood_forged;
	double flood_scale;
	uint8_t ttl_min, ttl_max;
	bool spoofable; /* nothing shows that src sent this */
	bool evicted;   /* reported now because the source was evicted */
	bool is_first;  /* reported at once: the first of this source with its
			   signature.  The packets that follow in the interval
			   come in a finding of their own, whose targets are
			   all of the interval's. */
};

/* The finding is borrowed for the call. */
typedef void finding_fn(void *arg, const struct finding *finding);

/* For the table (table-private.h). */
struct table;
struct source;
struct table_row;
/* Gives the findings of one source. */
void table_give_findings(
    struct table *table, const struct source *source, bool evicted);
/* The signature that a row shows beyond doubt: what follows cannot make it
 * another class.  SIGNATURE_NONE: none, or not yet. */
enum signature table_proven_signature(const struct table *table,
    const struct source *source, const struct table_row *row);
/* Gives one row as a first finding; its packets are reported with that. */
void table_give_first(
    struct table *table, const struct source *source, struct table_row *row);
