/* SPDX-License-Identifier: ISC */
/*
 * What a packet is taken for, and what the packets of a source amount to.
 * Both are pure.  man/sonde-sensor.1 tells users the same rules in words.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/packet/packet.h"
#include "probes/sensor/detect/builtin.h"

/* One packet. */
enum kind {
	KIND_WORM,        /* a worm's signature */
	KIND_PROBE,       /* asks for an answer: SYN, echo, UDP, stealth */
	KIND_BACKSCATTER, /* is an answer: the source is a victim */
	KIND_STRAY,       /* chatter that lost its way */
	KIND_OTHER,
	KINDS
};

struct reading {
	enum kind kind;
	struct signature_match match;
	bool odd;     /* a header that honest and scanning hosts do not make */
	bool service; /* local service chatter, a probe only if widespread */
};

struct reading classify_packet(const struct packet *packet);

enum verdict {
	VERDICT_WORM,
	VERDICT_FLOOD,
	VERDICT_SCAN,
	VERDICT_BACKSCATTER,
	VERDICT_MISCONFIGURATION,
	VERDICT_OTHER,
	VERDICTS /* in this order, the worst first */
};

const char *verdict_name(enum verdict verdict);

/* Packets of one source, kind, protocol and port, and of its source. */
struct evidence {
	enum kind kind;
	uint64_t packets;    /* in the interval */
	int64_t duration_ns; /* first to last of them */
	uint64_t seen;       /* since the source is known */
	bool one_target;     /* these packets went to one address */
	bool all_odd, all_service;

	/* The source's probes together. */
	uint64_t probes;
	int64_t probes_duration_ns;
	uint32_t ports; /* distinct (protocol, port), 65536 for more than
			   can be told apart */
	bool several_targets;
	bool answered;       /* a home host answered it */
	bool target_flooded; /* by many sources at once */
};

#define FLOOD_LEAST_PACKETS 100
#define FLOOD_LEAST_PPS 10
#define FLOOD_PACKETS_PER_PORT 8
#define REPEAT_LEAST_PACKETS 3

enum verdict classify_verdict(const struct evidence *evidence);
