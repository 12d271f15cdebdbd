# SPDX-License-Identifier: ISC
collector_SRCS += collector/query/agent-unsent.c \
	collector/query/path-graph.c collector/query/query-agents.c \
	collector/query/query-args.c collector/query/query-evidence.c collector/query/query-links.c collector/query/query-gaps.c \
	collector/query/query-list.c collector/query/query-overview.c \
	collector/query/query-records.c collector/query/query-params.c \
	collector/query/query-results.c collector/query/query-series.c collector/query/query-sightings.c \
	collector/query/query-topology.c
