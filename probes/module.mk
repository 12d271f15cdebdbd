# SPDX-License-Identifier: ISC
probes_SRCS += probes/cmd/registry.c
probes_SRCS += probes/packet/decode.c
probes_SRCS += probes/packet/decode-icmp.c
probes_SRCS += probes/packet/decode-sum.c
probes_SRCS += probes/packet/link.c
probes_SRCS += probes/packet/build.c
probes_SRCS += probes/packet/match.c
probes_SRCS += probes/packet/template.c
include probes/agent/module.mk
probes_SRCS += probes/writer/csv-cell.c
probes_SRCS += probes/writer/csv-train.c
probes_SRCS += probes/writer/json-line.c
probes_SRCS += probes/writer/warts.c
probes_SRCS += probes/writer/writer.c probes/writer/text.c \
	probes/writer/text-trace.c probes/writer/text-ping.c \
	probes/writer/json.c probes/writer/csv.c probes/writer/reply.c \
	probes/writer/scamper.c probes/writer/atlas.c
include probes/net/sim.mk
include probes/net/live.mk
include probes/script/module.mk
include probes/guardian/guardian.mk
include probes/policy/policy.mk
include probes/cmd/cmd.mk
include probes/cmd/client.mk
include probes/sensor/sensor.mk
