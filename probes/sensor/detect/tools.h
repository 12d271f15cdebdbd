/* SPDX-License-Identifier: ISC */
/*
 * What a packet bears of the tool that made it.  A fingerprint is no proof: it
 * says how rarely an innocent packet bears it, and who judges the source
 * multiplies.  Bits are counted so: a relation between fields that an innocent
 * sender fills at random or otherwise (ZMap's id, masscan's sum, a sequence
 * number of 0) at its full width; a field that stacks choose (window, no
 * options) at 8 bits at most; a set of flags that no stack sends at 16.
 * Senders choose all of it: a fingerprint says nothing of who sent a packet.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/packet/packet.h"
#include "probes/sensor/detect/builtin.h"
#include "probes/sensor/message/message.h"

enum fingerprint {
	FINGERPRINT_NONE,
	FINGERPRINT_ZMAP,
	FINGERPRINT_ZMAP_ID, /* UDP, ICMP, or a SYN with options: the id alone
			      */
	FINGERPRINT_MASSCAN,
	FINGERPRINT_MASSCAN_ID, /* with a window that is not masscan's */
	FINGERPRINT_MASSCAN_UDP,
	FINGERPRINT_NMAP_SYN,
	FINGERPRINT_NMAP_IDLE, /* the same from a service's port: in the name of
				  a third host (-sI), or -g */
	FINGERPRINT_NMAP_ACK,  /* and window scans, which differ in nothing */
	FINGERPRINT_NMAP_MAIMON,
	FINGERPRINT_NMAP_FIN,
	FINGERPRINT_NMAP_NULL,
	FINGERPRINT_NMAP_XMAS,
	FINGERPRINT_NMAP_OS, /* the probes of -O */
	FINGERPRINT_NMAP_UDP,
	FINGERPRINT_NMAP_SCTP,
	FINGERPRINT_NMAP_COOKIE,
	FINGERPRINT_NMAP_PING, /* timestamp and mask requests of -PP, -PM */
	/* By flags or form alone, whatever sent it: */
	FINGERPRINT_FIN,
	FINGERPRINT_NULL,
	FINGERPRINT_XMAS,
	FINGERPRINT_FLAGS,    /* another set that no stack sends */
	FINGERPRINT_PROTOCOL, /* a protocol, and nothing of it (nmap -sO) */
	FINGERPRINTS
};

struct fingerprint_fact {
	const char *name; /* "nmap-xmas"; NULL for FINGERPRINT_NONE */
	/* The tool's name as a signature; SIGNATURE_NONE: none is known. */
	enum signature tool;
	uint8_t bits;      /* an innocent packet bears it once in 2^bits */
	bool maybe_forged; /* made in the name of a host that is not asked */
};

/* For a packet that decoded with 0, with its message.  Fragments and packets
 * whose IP header is damaged bear nothing. */
enum fingerprint tools_match(
    const struct packet *packet, const struct message *message);
const struct fingerprint_fact *fingerprint_fact(enum fingerprint fingerprint);
