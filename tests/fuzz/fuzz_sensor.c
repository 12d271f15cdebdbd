/* SPDX-License-Identifier: ISC */
/* A capture in miniature: per packet two octets (link and seconds passed,
 * length), then the frame.  Few sources are remembered, so they are evicted. */
#include <pcap/dlt.h>

#include "lib/base/err.h"
#include "probes/sensor/sensor-engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count_packets(void *arg, const struct finding *f)
{
	*(uint64_t *)arg += f->packets;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int links[] = { DLT_RAW, DLT_EN10MB, DLT_NULL,
		DLT_LINUX_SLL };
	struct prefix home = { { 4, { 198, 51, 100 } }, 24 };
	struct walltime at = { 0 };
	uint64_t reported = 0;
	struct engine *e = engine_new(&(struct engine_config){ .max_sources = 8,
	    .memory = 1 << 20,
	    .max_payloads = 4,
	    .max_payload_bytes = 512,
	    .homes = &home,
	    .home_count = 1,
	    .finding = count_packets,
	    .arg = &reported });
	for (size_t pos = 0; size - pos > 2; pos += 2) {
		size_t len = data[pos + 1];
		len = len < size - pos - 2 ? len : size - pos - 2;
		at.ns += (data[pos] >> 2) * NS_PER_S;
		engine_packet(e, links[data[pos] & 3], data + pos + 2, len,
		    len + (data[pos] >> 6), at);
		pos += len;
	}
	engine_flush(e);
	const struct engine_counts *c = engine_counts(e);
	if (reported != c->decoded - c->home - c->replies - c->damaged)
		BUG("%llu packets in findings", (unsigned long long)reported);
	engine_free(e);
	return 0;
}
