/* SPDX-License-Identifier: ISC */
/* The table's own structs, for the files that fill and read them. */
#pragma once

#include <string.h>

#include "probes/sensor/contact-table.h"
#include "probes/sensor/detect/detectors.h"
#include "probes/sensor/detect/flood-watch.h"
#include "probes/sensor/detect/odds.h"
#include "probes/sensor/first-sight.h"
#include "probes/sensor/table.h"
#include "probes/sensor/target-set.h"

#define ROW_NONE UINT32_MAX
#define SOURCE_NONE UINT32_MAX
#define MORE_NONE UINT32_MAX
#define ROWS_WITH_PORT_MAX 16
#define ROWS_PER_SOURCE_MAX 64 /* own ports, and what is folded together */

/* What distinguishes rows of a source, in one number: class, folded,
 * signature, protocol, port. */
#define ROW_KEY(class, signature, proto, port)                   \
	((uint32_t)(class) << 29 | (uint32_t)(signature) << 24 | \
	    (uint32_t)(proto) << 16 | (port))
#define ROW_PROTO_OTHER 255
#define ROW_PROTO_SCTP 132
#define ROW_SIGNATURES 16
_Static_assert(SIGNATURES <= ROW_SIGNATURES, "they have four bits in a key");
#define ROW_KEY_FOLDED (UINT32_C(1) << 28)

enum row_flag {
	ROW_FOLDED = 1, /* several ports (and protocols) together */
	ROW_ANSWERED = 2,
	ROW_DPORT_VARIES = 4,
	ROW_TOOL_VARIES = 8,
	ROW_ASKS = 16 /* a packet of it is a question */
};

/* Packets of one source that are alike.  ICMP: port is type << 8 | code;
 * backscatter: the source's port; otherwise the destination's.  A cache
 * line. */
struct table_row {
	uint32_t next; /* of the source, or in the free list */
	uint32_t key;
	uint64_t packets : 40; /* in this interval, as the rest */
	uint64_t flags : 8;
	uint64_t tool : 8;      /* enum fingerprint of its packets */
	uint64_t tool_seen : 8; /* how many, since the source is known */
	uint64_t size_bytes : 48;
	uint64_t reported : 16; /* packets, before the interval's end */
	int64_t first_ns, last_ns;
	uint32_t payload; /* of table.hashes, counted from 1; 0: none */
	uint16_t dport;
	uint8_t ttl_min, ttl_max;
	struct target_set targets;
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct table_row) == 64, "a row is a cache line");

enum source_flag {
	SOURCE_USED = 1,
	SOURCE_SEEN_AGAIN = 2, /* since the last look for one to evict */
	SOURCE_PROVEN = 4,     /* it returned a cookie */
	SOURCE_OWN = 8,
	SOURCE_ADDRESSES = 16 /* more than one, of an IPv6 /64 */
};

#define YOUNG_S 3 /* an answer may take so long */

struct source {
	struct addr addr; /* the first that was seen */
	uint8_t flags, scope, row_count;
	uint32_t rows, more;
	uint32_t failed, answered, unknown; /* first contacts */
	uint32_t repeats; /* attempts beyond the first of a contact */
	uint32_t last_s;
	uint16_t unasked, replies;
	uint16_t young[YOUNG_S]; /* steps, by second modulo YOUNG_S */
	struct odds_walk walk;
	uint8_t ttl_min, ttl_max;
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct source) == 64, "a source is a cache line");

#define PORT_WORDS (65536 / 64)

/* Of a mirror port that shows what comes in and what goes out, the copies of a
 * packet follow each other. */
struct last_packet {
	uint32_t hash;
	int64_t at_ns;
};

/* A way that its source traces: whose probes pass for those of a traceroute. */
struct trace {
	uint32_t target; /* hash */
	uint32_t ttls;   /* that were seen, a bit each; 0: none is traced */
	uint8_t probes;  /* contacts */
};
#define TRACES 4

/* What few sources have. */
struct source_more {
	uint32_t next;  /* in the free list */
	uint32_t ports; /* of table.port_maps, counted from 1; 0: none */
	uint32_t amplifying_packets, amplifying_contacts;
	struct last_packet amplifying;
	uint32_t question;    /* hash of the last that amplifies */
	uint32_t question_to; /* hash of where it went first */
	bool question_spread; /* it went elsewhere too */
	bool ports_lost;      /* there was no room for a map */
	struct addr victim;   /* of the first ICMP error that names one */
	struct finding_quote quote;
	struct target_set addresses;
	struct trace traces[TRACES];
	uint8_t trace_next;
	uint8_t traces_single; /* that ended with one TTL */
};

/* Which source, counted from 1 (0 is an empty slot), and what of its hash is
 * left. */
struct table_slot {
	uint32_t source : 21;
	uint32_t hash : 11;
};

#define HOURS 24

struct table {
	struct table_config config;
	struct source *sources;
	struct table_row *rows;
	struct table_slot *slots;
	struct source_more *more;
	uint64_t (*port_maps)[PORT_WORDS];
	uint8_t (*hashes)[PAYLOAD_HASH_LEN];
	uint32_t source_max, row_max, more_max, port_map_max, hash_max;
	uint32_t source_made, row_made, more_made, port_map_made, hash_made;
	uint32_t source_free, row_free, more_free, port_map_free, hash_free;
	uint32_t source_count, slot_mask, hand;
	uint32_t flush_at; /* the next source to flush; 0: none begun */
	struct contact_table *contacts;
	struct target_arena *targets;
	struct flood_folds *floods;
	struct first_sight *first_sight; /* NULL: none */
	uint8_t *ever;                   /* registers, of all sources */
	uint64_t evicted, first_sights_deferred;
	uint64_t sources_ever;
	uint32_t began[HOURS]; /* sources, by hour modulo HOURS */
	uint64_t began_today;  /* their sum */
	int64_t hour;
	uint32_t now_s, expired_s;
	uint64_t since_expiry; /* packets */
};

/* Are these addresses of one source? */
static inline bool table_same_unit(const struct addr *a, const struct addr *b)
{
	return a->family == b->family &&
	    memcmp(a->bytes, b->bytes, a->family == 6 ? 8 : 4) == 0;
}

/* flood-fold.c: */
struct flood_folds *flood_folds_new(uint64_t secret);
void flood_folds_free(struct flood_folds *folds);
/* Brings nearer what a packet will be counted in. */
void flood_folds_fetch(
    const struct table *table, const struct table_entry *entry);
/* A packet that was counted in this row. */
void flood_folds_note(struct table *table, const struct table_entry *entry,
    enum packet_class class, const struct table_row *row);
/* A conversation with this address (hashed) came about. */
void flood_folds_completed(struct table *table, uint32_t victim, int64_t at_ns);
/* True: this finding is a part of a flood, and is given with it. */
bool flood_folds_take(struct table *table, const struct finding *finding,
    enum flood_kind kind, uint32_t victim);
/* Gives the floods that findings were folded into. */
void flood_folds_give(struct table *table);

/* table-key.c: */
/* Is the packet a copy of the last one that was not?  This one is the last
 * then. */
bool table_is_copy(struct last_packet *last, const struct table_entry *entry);
/* Of the source that an address belongs to. */
uint32_t table_hash_unit(const struct table *table, const struct addr *addr);
/* As table_entry.target of a packet to this address. */
uint32_t table_hash_target(const struct addr *addr);
uint32_t table_hash_address(const struct table *table, const struct addr *addr);

/* source-rows.c: */
/* The row for this packet, made if there is none: a row must be left. */
struct table_row *rows_find(struct table *table, struct source *source,
    const struct table_entry *entry, enum packet_class class);
/* The rows of this source that the packet answers were answered; NULL is
 * allowed. */
void rows_mark_answered(
    struct table *table, struct source *source, uint8_t proto, uint16_t port);
/* What few sources have; NULL: there is no room for more of it. */
struct source_more *rows_more(struct table *table, struct source *source);
void rows_note_payload(
    struct table *table, struct table_row *row, const struct packet *packet);
void rows_free_payload(struct table *table, struct table_row *row);
/* All of a source. */
void rows_free(struct table *table, struct source *source);
void rows_free_more(struct table *table, struct source *source);

/* attempts.c: */
/* What a packet is once it is known who began; counts what that shows.
 * source: NULL when a monitored host sent it. */
enum packet_class attempts_count(struct table *table,
    const struct table_entry *entry, struct source *source);
/* Does the packet belong to what a monitored host has begun or answered? */
bool attempts_is_reply(struct table *table, const struct table_entry *entry);
/* Steps of contacts that may still be answered. */
unsigned attempts_young(const struct source *source, uint32_t now_s);
/* A contact_evicted_fn: what is forgotten is unknown; arg is the table. */
void table_contact_evicted(void *arg, const struct contact *contact);
