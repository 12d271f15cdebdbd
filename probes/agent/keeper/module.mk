# SPDX-License-Identifier: ISC
probes_SRCS += probes/agent/keeper/heartbeat.c \
	probes/agent/keeper/keeper-producers.c \
	probes/agent/keeper/keeper-results.c \
	probes/agent/keeper/keeper-store.c probes/agent/keeper/keeper.c
