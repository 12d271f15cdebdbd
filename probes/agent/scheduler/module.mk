# SPDX-License-Identifier: ISC
probes_SRCS += probes/agent/scheduler/run-request.c \
	probes/agent/scheduler/schedule.c probes/agent/scheduler/worklist.c
