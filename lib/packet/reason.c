/* SPDX-License-Identifier: ISC */
/* The words for why a frame gave no packet. */
#include "lib/packet/packet.h"

static const struct {
	const char *name;
	bool hides;
} reasons[PACKET_REASONS] = {
	[PACKET_UNDERSTOOD] = { "understood", false },
	[PACKET_CUT_LINK] = { "cut-link-header", true },
	[PACKET_CUT_CARRIER] = { "cut-carrier-header", true },
	[PACKET_CUT_IP] = { "cut-ip-header", true },
	[PACKET_CUT_UPPER] = { "cut-upper-header", true },
	[PACKET_BAD_LINK] = { "bad-link-header", true },
	[PACKET_BAD_CARRIER] = { "bad-carrier-header", true },
	[PACKET_BAD_IP] = { "bad-ip-header", true },
	[PACKET_BAD_UPPER] = { "bad-upper-header", true },
	[PACKET_UNKNOWN_LINK] = { "unknown-link-type", true },
	[PACKET_UNKNOWN_CARRIER] = { "unknown-carrier", true },
	[PACKET_TOO_DEEP] = { "too-deep", true },
	[PACKET_ENCRYPTED] = { "encrypted", true },
	[PACKET_COMPRESSED] = { "compressed", true },
	[PACKET_ARP] = { "arp", false },
	[PACKET_LINK_CONTROL] = { "link-control", false },
	[PACKET_NOT_IP] = { "not-ip", false },
};

const char *packet_reason_name(enum packet_reason reason)
{
	return reasons[reason].name;
}

bool packet_reason_hides(enum packet_reason reason)
{
	return reasons[reason].hides;
}
