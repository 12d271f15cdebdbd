# SPDX-License-Identifier: ISC
collector_SRCS += collector/fleet/campaign-check.c \
	collector/fleet/campaign-json.c collector/fleet/campaign.c \
	collector/fleet/enrol.c
