# SPDX-License-Identifier: ISC
collector_SRCS += collector/fleet/admin-token.c collector/fleet/agent-table.c \
	collector/fleet/campaign-check.c collector/fleet/campaign-json.c \
	collector/fleet/campaign.c collector/fleet/enrol.c
