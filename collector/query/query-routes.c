/* SPDX-License-Identifier: ISC */
/* Which path is which query, and the parameters that each knows. */
#include "collector/query/query.h"

#define PARAMS(...)               \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}
#define NONE                  \
	(const char *const[]) \
	{                     \
		NULL          \
	}

const struct query_route query_routes[] = {
	{ "/api/v1/overview", query_overview, NONE },
	{ "/api/v1/agents", query_agents, PARAMS("limit", "cursor") },
	{ "/api/v1/agents/{id}", query_agent, NONE },
	{ "/api/v1/campaigns", query_campaigns, PARAMS("limit", "cursor") },
	{ "/api/v1/campaigns/{id}", query_campaign, NONE },
	{ "/api/v1/runs", query_runs,
	    PARAMS("campaign", "agent", "limit", "cursor") },
	{ "/api/v1/records", query_records,
	    PARAMS("kind", "agent", "campaign", "run", "src", "dst", "from",
		"to", "limit", "cursor") },
	{ "/api/v1/topology", query_topology, PARAMS("from", "to", "agent") },
	{ "/api/v1/links/{id}/series", query_link_series,
	    PARAMS("from", "to", "bin") },
	{ "/api/v1/series", query_series,
	    PARAMS("signature", "verdict", "agent", "bin", "from", "to") },
	{ "/api/v1/alarms", query_alarms,
	    PARAMS("signature", "agent", "from", "to", "limit", "cursor") },
	{ "/api/v1/signatures", query_signatures, PARAMS("limit", "cursor") },
	{ "/api/v1/sightings", query_sightings,
	    PARAMS("signature", "verdict", "src", "agent", "from", "to",
		"limit", "cursor") },
	{ "/api/v1/payloads/{hash}", query_payload, NONE },
	{ NULL, NULL, NULL },
};
