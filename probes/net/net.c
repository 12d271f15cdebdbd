/* SPDX-License-Identifier: ISC */
/* The networks that a guardian can stand on. */
#include <stdbool.h>
#include <string.h>

#include "probes/net/net.h"
#include "probes/packet/probe.h"

static const struct net_ops *const networks[] = { &net_live, &net_sim, NULL };

const struct net_ops *net_find(
    const char *text, const char **spec, struct errmsg *msg)
{
	size_t len = strcspn(text, ":");
	*spec = text[len] == ':' ? text + len + 1 : NULL;
	for (size_t i = 0; networks[i]; i++)
		if (strlen(networks[i]->name) == len &&
		    strncmp(networks[i]->name, text, len) == 0)
			return networks[i];
	err_set(msg, ERR_USAGE,
	    "network: expected 'live' or 'sim:FILE', got '%.100s'", text);
	return NULL;
}

struct net_flow net_flow_of(const struct probe *p)
{
	struct net_flow flow = { .dst = p->dst,
		.proto = p->proto,
		.tos = p->tos,
		.sport = p->sport,
		.dport = p->dport,
		.flow_label = p->flow_label };
	/* A worker need not have ended it. */
	memcpy(flow.zone, p->zone, sizeof(flow.zone) - 1);
	return flow;
}

int64_t net_rtt(
    const struct net_stamp *tx, const struct net_stamp *rx, int64_t most)
{
	int64_t rtt = walltime_diff(rx->wall, tx->wall);
	if (most == INT64_MAX)
		return rtt;
	return rtt >= 0 && rtt <= most + NS_PER_MS ? rtt : most;
}
