# SPDX-License-Identifier: ISC
probes_SRCS += probes/script/api-next.c probes/script/api-probe.c probes/script/api-record.c \
	probes/script/api-reply.c probes/script/api-result.c \
	probes/script/api-sweep.c probes/script/api-train.c \
	probes/script/arguments.c probes/script/emit.c probes/script/guardian-client.c \
	probes/script/header.c probes/script/launch.c probes/script/operands.c \
	probes/script/reply-list.c probes/script/result-events.c \
	probes/script/result-fields.c probes/script/safe.c \
	probes/script/script.c probes/script/shipped.c probes/script/small-blocks.c \
	probes/script/state.c probes/script/watch.c \
	probes/script/worker.c
