# SPDX-License-Identifier: ISC
probes_SRCS += probes/cmd/registry.c
probes_SRCS += probes/packet/decode.c
probes_SRCS += probes/packet/decode-icmp.c
probes_SRCS += probes/packet/decode-sum.c
probes_SRCS += probes/packet/link.c
probes_SRCS += probes/packet/build.c
probes_SRCS += probes/packet/template.c
include probes/agent/module.mk
