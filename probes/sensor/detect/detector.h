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
#include "probes/sensor/detect/tools.h"
#include "probes/sensor/message/message.h"

/* One packet, once it is known who began. */
enum packet_class {
	CLASS_WORM,        /* a worm's signature */
	CLASS_PROBE,       /* of a contact that its source began */
	CLASS_BACKSCATTER, /* an answer that nobody asked for: its source is a
			      victim */
	CLASS_STRAY,       /* of a peer that remembers a former user */
	CLASS_OTHER,
	CLASS_REPLY, /* an answer to what was asked */
	CLASS_LOCAL, /* of the link or the site */
	CLASSES
};

struct reading {
	enum packet_class class; /* as the packet alone shows it */
	struct signature_match match;
	enum fingerprint fingerprint; /* of UDP asked for when it matters */
	struct message message;
};

enum verdict {
	VERDICT_WORM,
	VERDICT_FLOOD,
	VERDICT_SCAN,
	VERDICT_PROBE,
	VERDICT_BACKSCATTER,
	VERDICT_MISCONFIGURATION,
	VERDICT_UNROUTED,
	VERDICT_OTHER,
	VERDICTS /* in this order, the worst first */
};

const char *verdict_name(enum verdict verdict);

/* Packets of one source, class, protocol and port, and of its source. */
struct evidence {
	enum packet_class class;
	/* What all of these packets bear, or NULL; and how much that weighs, in
	 * steps (odds.h). */
	const struct fingerprint_fact *tool;
	unsigned tool_steps;
	uint64_t packets;    /* in the interval */
	int64_t duration_ns; /* first to last of them */
	uint8_t proto;
	bool asks;        /* one of these packets is a question */
	bool one_target;  /* these packets went to one address */
	bool is_answered; /* one of these packets' contacts was */

	/* The source's probes together, in the interval. */
	uint64_t probes;
	int64_t probes_duration_ns;
	uint32_t ports;        /* distinct (protocol, port) */
	uint32_t destinations; /* distinct addresses */
	uint32_t peers;        /* of what it sends as a peer (CLASS_STRAY) */
	bool several_targets;

	/* The source's first contacts, since it is known. */
	uint32_t failed, answered, unknown;
	uint32_t repeats; /* attempts beyond the first of a contact */
	unsigned best;    /* steps of its walk (odds.h) */
	uint32_t unasked; /* its answers that nobody asked for */
	uint32_t replies; /* its answers to questions */
	/* Questions as they are asked in a victim's name. */
	uint32_t amplifying_packets, amplifying_contacts;

	bool is_own;   /* the capturing host's own address */
	uint8_t scope; /* enum message_scope */
	uint8_t ttl_min, ttl_max;
	double accuse_at; /* odds from which on a source is a scanner */
};

/* Steps from which on a tool's fingerprint is more than chance among many
 * packets. */
#define DETECT_TOOL_LEAST_STEPS 24

/* A verdict and why. */
struct judgement {
	enum verdict verdict;
	uint64_t odds; /* an innocent source does this less often than once in
			  so many; 0: not stated */
	const char *rule;
	uint16_t rule_version;
	bool of_victim; /* the source is forged: it is who is attacked */
};

struct detector {
	const char *name;
	/* Pure: what one packet shows, into reading, whose class is
	 * CLASS_OTHER.  True: it is decided, the others are not asked.  NULL:
	 * one packet shows nothing. */
	bool (*packet)(const struct packet *packet, struct reading *reading);
	/* VERDICTS: not its business, the next is asked. */
	enum verdict (*judge)(const struct evidence *evidence);
	/* Says why; has the verdict, and its own name as the rule.  May be
	 * NULL. */
	void (*explain)(
	    const struct evidence *evidence, struct judgement *judgement);
};

extern const struct detector detector_builtin, detector_flood, detector_scan;
