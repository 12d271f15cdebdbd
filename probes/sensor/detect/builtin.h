/* SPDX-License-Identifier: ISC */
/*
 * Exact wire facts of worms and scan tools.  A worm's packet proves itself;
 * a tool's fingerprint is 16 bits that chance produces too, so there a packet
 * only matches, and the source decides (probes/sensor/finding.c).
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
	SIGNATURES
};

struct signature_match {
	enum signature worm;
	bool masscan, zmap;
	bool undecided; /* a payload would decide, and the capture lacks it */
};

/* Lower-case, as users write it; NULL for SIGNATURE_NONE. */
const char *signature_name(enum signature signature);

/* For a packet that decoded without error.  Fragments match nothing. */
struct signature_match signature_match(const struct packet *packet);
