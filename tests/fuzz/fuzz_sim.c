/* SPDX-License-Identifier: ISC */
/*
 * A description of a simulated internet, small enough to build, and packets
 * that two vantage points, the first that is stated and the node `b`, send in
 * it: behind the text and a zero, each who sends it, its length and its octets.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "probes/net/net.h"
#include "probes/net/sim/sim.h"

#define PACKETS_MAX 16
#define STEPS_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count_event(void *arg, const struct net_event *event)
{
	size_t *octets = arg;
	*octets += event->caplen;
}

static void play(
    void *const ctxs[2], size_t count, const uint8_t *data, size_t size)
{
	size_t octets = 0;
	for (int i = 0; i < PACKETS_MAX && size > 2; i++) {
		size_t len = data[1];
		if (len == 0 || len > size - 2)
			break;
		const struct net_route route = { 0 };
		struct net_send packet = {
			.bytes = data + 2, .len = len, .route = &route
		};
		net_sim.send(ctxs[data[0] % count], &packet, 1);
		data += 2 + len;
		size -= 2 + len;
	}
	for (int i = 0; i < STEPS_MAX; i++)
		for (size_t j = 0; j < count; j++) {
			struct monotime until =
			    monotime_add(net_sim.now(ctxs[j]), 20 * NS_PER_MS);
			net_sim.poll(ctxs[j], count_event, &octets);
			net_sim.advance(ctxs[j], until);
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	size_t used = strlen(text) + 1, count = 1;
	void *ctxs[2];
	if (sim_open_text(&ctxs[0], text, "fuzz", NULL, 200, NULL) == 0) {
		count += net_sim.join(&ctxs[1], ctxs[0], "b", NULL) == 0;
		if (used < size)
			play(ctxs, count, data + used, size - used);
		while (count-- > 0)
			net_sim.close(ctxs[count]);
	}
	free(text);
	return 0;
}
