# SPDX-License-Identifier: ISC
probes_SRCS += probes/net/net.c
probes_SRCS += probes/net/live.c
probes_SRCS += probes/net/live-addr.c
probes_SRCS += probes/net/live-filter.c
probes_SRCS += probes/net/live-stamp.c
