# SPDX-License-Identifier: ISC
probes_SRCS += probes/net/sim/sim-ahead.c probes/net/sim/sim-at.c \
	probes/net/sim/sim-behaviour.c \
	probes/net/sim/sim-change.c probes/net/sim/sim-file.c \
	probes/net/sim/sim-generate.c probes/net/sim/sim-index.c \
	probes/net/sim/sim-move.c probes/net/sim/sim-nat.c \
	probes/net/sim/sim-option.c probes/net/sim/sim-parse.c \
	probes/net/sim/sim-queue.c probes/net/sim/sim-reply.c \
	probes/net/sim/sim-route.c probes/net/sim/sim-service.c \
	probes/net/sim/sim-state.c probes/net/sim/sim-tcp.c \
	probes/net/sim/sim-world.c probes/net/sim/sim.c
