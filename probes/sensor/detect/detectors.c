/* SPDX-License-Identifier: ISC */
/* Proof first: a signature decides before a rate does, a rate before what the
 * spread of a source's packets suggests. */
#include "probes/sensor/detect/detectors.h"

#define DETECTORS 3
#define DETECTOR_SCAN 2 /* its number */
static const struct detector *const detectors[DETECTORS] = { &detector_builtin,
	&detector_flood, &detector_scan };

static const char *const verdict_names[VERDICTS] = {
	[VERDICT_WORM] = "worm",
	[VERDICT_FLOOD] = "flood",
	[VERDICT_SCAN] = "scan",
	[VERDICT_PROBE] = "probe",
	[VERDICT_BACKSCATTER] = "backscatter",
	[VERDICT_MISCONFIGURATION] = "misconfiguration",
	[VERDICT_UNROUTED] = "unrouted",
	[VERDICT_OTHER] = "other",
};

const char *verdict_name(enum verdict verdict)
{
	return verdict_names[verdict];
}

void detect_packet(const struct packet *packet, struct reading *reading)
{
	message_read(packet, &reading->message);
	reading->class = CLASS_OTHER;
	reading->match = (struct signature_match){ .worm = SIGNATURE_NONE };
	reading->fingerprint = FINGERPRINT_NONE;
	/* In the middle of a connection there is nothing to recognise. */
	enum message_kind kind = reading->message.kind;
	bool bare = kind == KIND_TCP_DATA || kind == KIND_TCP_SYN_ACK ||
	    kind == KIND_TCP_RST;
	if (!bare && packet->proto != PACKET_UDP)
		reading->fingerprint = tools_match(packet, &reading->message);
	for (size_t i = bare ? DETECTOR_SCAN : 0; i < DETECTORS; i++)
		if (detectors[i]->packet &&
		    detectors[i]->packet(packet, reading))
			break;
}

struct judgement detection_judge(const struct evidence *evidence)
{
	struct judgement j = { .verdict = VERDICT_OTHER, .rule = "none" };
	for (size_t i = 0; i < DETECTORS; i++) {
		enum verdict verdict = detectors[i]->judge
		    ? detectors[i]->judge(evidence)
		    : VERDICTS;
		if (verdict == VERDICTS)
			continue;
		j = (struct judgement){
			.verdict = verdict,
			.rule = detectors[i]->name,
			.rule_version = 1,
		};
		if (detectors[i]->explain)
			detectors[i]->explain(evidence, &j);
		break;
	}
	return j;
}
