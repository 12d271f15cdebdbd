# SPDX-License-Identifier: ISC
probes_SRCS += probes/net/net.c
