# SPDX-License-Identifier: ISC
probes_SRCS += probes/net/sim.c
probes_SRCS += probes/net/sim-file.c
probes_SRCS += probes/net/sim-generate.c
probes_SRCS += probes/net/sim-reply.c
probes_SRCS += probes/net/sim-route.c
probes_SRCS += probes/net/sim-words.c
probes_SRCS += probes/net/sim-world.c
