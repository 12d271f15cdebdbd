/* SPDX-License-Identifier: ISC */
/*
 * What a packet is taken for, and what the packets of a source amount to: a
 * seam.  A detector is a const struct that ends its file, listed in
 * detectors.c in the order in which they are asked.  man/sonde-sensor.1 has
 * the same rules in words.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/packet/packet.h"
#include "probes/sensor/detect/builtin.h"

/* One packet. */
enum packet_class {
	CLASS_WORM,        /* a worm's signature */
	CLASS_PROBE,       /* asks for an answer: SYN, echo, UDP, stealth */
	CLASS_BACKSCATTER, /* is an answer: the source is a victim */
	CLASS_STRAY,       /* of a local service, on the wrong network */
	CLASS_OTHER,
	CLASSES
};

struct reading {
	enum packet_class class;
	struct signature_match match;
	bool suspicious; /* a header that honest and scanning hosts do not
			    make */
	bool service;    /* a local service's, a probe only if widespread */
};

/* Where a packet went.  ICMP: port is type << 8 | code. */
struct sight {
	uint32_t target; /* hash of the address */
	uint8_t proto;
	uint16_t port;
	int64_t at_ns;
};

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

/* Packets of one source, class, protocol and port, and of its source. */
struct evidence {
	enum packet_class class;
	uint64_t packets;    /* in the interval */
	int64_t duration_ns; /* first to last of them */
	uint64_t seen;       /* since the source is known */
	bool one_target;     /* these packets went to one address */
	bool all_suspicious, all_service;
	struct sight first; /* of them; target only if there is one */

	/* The source's probes together. */
	uint64_t probes;
	int64_t probes_duration_ns;
	uint32_t ports; /* distinct (protocol, port), 65536 for more than
			   can be told apart */
	bool several_targets;
	bool answered; /* a local host answered it */
};

struct detector {
	const char *name;
	/* Pure: what one packet shows, into reading, whose class is
	 * CLASS_OTHER.  True: it is decided, the others are not asked.  NULL:
	 * one packet shows nothing. */
	bool (*packet)(const struct packet *packet, struct reading *reading);
	/* What it keeps about sources, of bounded size; NULL: nothing. */
	void *(*open)(void);
	void (*close)(void *state);
	/* A source that was not known has sent a probe. */
	void (*source)(void *state, const struct sight *sight);
	/* VERDICTS: not its business, the next is asked. */
	enum verdict (*judge)(
	    const void *state, const struct evidence *evidence);
};

extern const struct detector detector_builtin, detector_flood, detector_scan;
