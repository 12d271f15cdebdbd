/* SPDX-License-Identifier: ISC */
/*
 * Floods: each is one event of its victim, whoever sends.  Told of every packet
 * that is of no conversation, the watch finds the addresses that get, or by
 * what comes back from them got, far more than clients send.  Memory is
 * bounded: a cell of one cache line for each address that had packets in the
 * last minute, the busier of two staying where two want the same; more only
 * for those that may be flooded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/sketch/distinct.h"
#include "probes/sensor/message/message.h"

enum flood_kind {
	FLOOD_DIRECT,     /* questions and data arrive at the victim */
	FLOOD_REFLECTED,  /* answers arrive that the victim did not ask for */
	FLOOD_BACKSCATTER /* the victim answers what was sent to it in the names
			     of others, of which some are watched */
};

/* Are the sources' addresses their own? */
enum flood_forged { FLOOD_CANNOT_TELL, FLOOD_FORGED, FLOOD_TRUE_SOURCES };

struct flood {
	enum flood_kind kind;
	struct addr victim;
	uint8_t proto;
	int port; /* of the victim; -1: several, or the protocol has none */
	uint32_t ports; /* distinct, about; 200 stands for more */
	int64_t first_ns, last_ns;
	uint64_t packets, octets; /* all of it */
	uint64_t fresh_packets;   /* since it was given before */
	uint64_t key;             /* of the victim, as it was told */
	uint64_t completed;       /* conversations that came about meanwhile */
	uint32_t peak_packets;    /* in the fullest 10 s */
	uint32_t sources;         /* or, of backscatter, other ends */
	enum distinct_quality sources_quality;
	uint64_t unrouted; /* packets from addresses that no host has */
	enum flood_forged forged;
	/* What was seen times this is what the victim got, if the forged
	 * addresses are spread evenly (Moore, Voelker and Savage, 2001); 0: not
	 * known, 1: all was seen. */
	double scale;
	bool has_ended;
};

struct flood_watch_config {
	uint32_t cells;  /* a power of two; 64 octets each */
	uint32_t events; /* 1.1 KB each, when in use */
	/* IPv4 addresses whose packets arrive here; 0: not known. */
	double watched;
	uint64_t secret; /* no sender knows which victims share a cell */
};

struct flood_watch;
struct flood_watch *flood_watch_new(const struct flood_watch_config *config);
void flood_watch_free(struct flood_watch *watch);

/* One packet that is of no conversation. */
struct flood_sight {
	enum flood_kind kind;
	struct addr victim;
	uint64_t key;    /* hash of the victim */
	uint32_t source; /* hash of the other end */
	uint8_t proto;
	uint16_t port;   /* the victim's */
	bool asks;       /* a question: SYN, query, echo request */
	bool unrouted;   /* no host can have the source's address */
	uint32_t id;     /* message.id */
	uint32_t octets; /* the IP packet's */
	int64_t at_ns;
};

/* Brings nearer, into the cache, the cell of this victim. */
void flood_watch_fetch(const struct flood_watch *watch, uint64_t key,
    enum flood_kind kind, uint8_t proto);
/* What a packet that was sent without being asked for is about: 0 to 2 sights
 * into `to`, without key and source.  quoted: of an ICMP error, or NULL.
 * An answer over UDP is about both ends: a reflector was asked in its
 * receiver's name, or its sender is flooded in many names. */
size_t flood_sights_of(struct flood_sight to[static 2],
    const struct packet *packet, const struct message *message,
    const struct packet *quoted);

void flood_watch_packet(
    struct flood_watch *watch, const struct flood_sight *sight);
/* A conversation with this address came about: a handshake was completed, a
 * question over UDP answered; or it sent data in mid-conversation. */
void flood_watch_completed(
    struct flood_watch *watch, uint64_t key, int64_t at_ns);

/* Is this address the victim of a flood of this kind that a packet at this time
 * was part of?  For the findings of sources that did nothing else; *flood,
 * unless it is NULL, is as given below: counting its sources costs. */
bool flood_watch_find(const struct flood_watch *watch, enum flood_kind kind,
    uint64_t key, int64_t at_ns, struct flood *flood);

/* Gives each flood of which there is something to say since the call before,
 * and forgets those that have ended (nothing for five minutes). */
typedef void flood_fn(void *arg, const struct flood *flood);
void flood_watch_give(
    struct flood_watch *watch, int64_t now_ns, flood_fn *give, void *arg);

struct flood_watch_stats {
	uint64_t displaced; /* victims that gave way, or had to wait */
	uint32_t events;    /* looked at now */
};
struct flood_watch_stats flood_watch_stats(const struct flood_watch *watch);
