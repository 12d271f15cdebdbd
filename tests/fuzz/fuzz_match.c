/* SPDX-License-Identifier: ISC */
/* Any packet as an answer: it fits one of these probes or none. */
#include "probes/packet/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t upper[64];
	struct packet packet;
	struct match_answer answer;
	int err = packet_decode_ip(&packet, data, size, size);
	if ((err != 0 && err != ERR_TRUNCATED) || packet.src.family == 0 ||
	    !match_read(&answer, &packet))
		return 0;
	for (int proto = 0; proto < 256; proto++) {
		struct probe probe = { .dst = answer.flow.dst,
			.proto = (uint8_t)proto,
			.sport = answer.flow.sport,
			.dport = answer.flow.dport };
		struct match_sent sent =
		    match_sent_of(&probe, &answer.to, upper);
		if (match_fit(&answer, &sent) > MATCH_FITS_WELL)
			BUG("fit");
	}
	return 0;
}
