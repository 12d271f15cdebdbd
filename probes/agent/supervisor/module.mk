# SPDX-License-Identifier: ISC
probes_SRCS += probes/agent/supervisor/children.c \
	probes/agent/supervisor/oneshot-log.c probes/agent/supervisor/runs.c \
	probes/agent/supervisor/supervisor.c
