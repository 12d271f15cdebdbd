# SPDX-License-Identifier: ISC
probes_SRCS += probes/packet/build.c probes/packet/match.c probes/packet/match-table.c \
	probes/packet/sweep.c probes/packet/template.c
