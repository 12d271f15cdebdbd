/* SPDX-License-Identifier: ISC */
/*
 * Exact wire facts of worms, and of two scan tools.  A worm's payload proves
 * itself; a header's numbers are chance, too: signature_bits and tools.h say
 * how often, and the source decides.
 */
#pragma once

#include <stdbool.h>

#include "lib/packet/packet.h"

enum signature {
	SIGNATURE_NONE,
	SIGNATURE_SLAMMER,
	SIGNATURE_MIRAI,
	SIGNATURE_WELCHIA,
	SIGNATURE_WITTY,
	SIGNATURE_MASSCAN,
	SIGNATURE_ZMAP,
	SIGNATURE_NMAP,
	SIGNATURES
};

struct signature_match {
	enum signature worm;
	bool masscan, zmap;
	bool undecided; /* a payload would decide, and the capture lacks it */
};

/* Lower-case, as users write it; NULL for SIGNATURE_NONE. */
const char *signature_name(enum signature signature);

/* An innocent packet bears a worm's signature once in 2^bits; of tools see
 * fingerprint_fact. */
unsigned signature_bits(enum signature signature);

/* For a packet that decoded without error.  Fragments match nothing. */
struct signature_match signature_match(const struct packet *packet);
