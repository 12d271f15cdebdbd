/* SPDX-License-Identifier: ISC */
/* The table's own structs, for the two files that fill and read them. */
#pragma once

#include "probes/sensor/detect/detectors.h"
#include "probes/sensor/first-sight.h"
#include "probes/sensor/table.h"

#define ROW_NONE UINT32_MAX
#define ROWS_PER_SOURCE_MAX 32 /* own ports, and what is folded together */
#define ROWS_WITH_PORT_MAX 16

#define ROW_KEY_FOLDED (UINT32_C(1) << 24)

enum row_flag {
	ROW_FOLDED = 1, /* several ports (and protocols) together */
	ROW_HAS_HASH = 2,
	ROW_NOT_SUSPICIOUS = 4, /* at least one ordinary packet */
	ROW_NOT_SERVICE = 8,
	ROW_DPORT_VARIES = 16
};

/* Packets of one source that are alike.  ICMP: port is type << 8 | code;
 * backscatter: the source's port; otherwise the destination's.  Two cache
 * lines, as is a source. */
struct table_row {
	uint32_t next; /* of the source, or in the free list */
	uint32_t key;  /* all of the next line, and port */
	uint8_t class, worm, proto, flags;
	uint16_t port, dport;
	uint8_t ttl_min, ttl_max;
	uint16_t reported; /* of this interval's packets, before its end */
	uint32_t seen, masscan, zmap; /* since the source is known */
	uint64_t packets, size_bytes; /* in this interval, as the rest */
	int64_t first_ns, last_ns;
	struct distinct targets;
	uint8_t hash[PAYLOAD_HASH_LEN];
} __attribute__((aligned(64)));

struct source {
	struct addr addr;
	struct addr victim; /* of the first ICMP error that names one */
	uint8_t ttl_min, ttl_max;
	bool answered, several_targets;
	uint16_t last_ip_id, row_count;
	uint32_t hash, rows;
	uint32_t first_target;
	uint32_t packets, near_ids; /* ids close to the one before */
	uint32_t syns, masscan, zmap;
	uint32_t first_sights; /* bits by signature: nothing is first again */
	uint64_t probes;
	uint64_t port_bits; /* of the ports it probed, by their hashes */
	uint64_t key_bits;  /* of its rows' keys: most new sources show here */
	int64_t first_ns, last_ns;
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct table_row) == 128, "a row is two cache lines");
_Static_assert(sizeof(struct source) == 128, "a source is two cache lines");

/* By last sight. */
struct link {
	uint32_t prev, next;
};

/* Of the hash: which source, counted from 1; 0 is an empty slot. */
struct table_slot {
	uint32_t hash, source;
};

struct table {
	struct table_config config;
	void *memory; /* of the four arrays */
	size_t memory_len;
	struct source *sources;
	struct link *links; /* one a source */
	struct table_slot *slots;
	struct table_row *rows;
	struct distinct_pool *targets;
	struct detection *detection;
	struct first_sight *first_sight; /* NULL: none */
	uint32_t source_made, source_free, source_count;
	uint32_t newest, oldest, slot_mask;
	uint32_t row_made, row_free, row_max;
	uint32_t flush_at; /* the next source to flush; 0: none begun */
	uint64_t sources_ever, evicted, first_sights_deferred;
};
