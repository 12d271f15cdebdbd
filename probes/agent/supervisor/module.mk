# SPDX-License-Identifier: ISC
probes_SRCS += probes/agent/supervisor/children.c \
	probes/agent/supervisor/host-addresses.c \
	probes/agent/supervisor/oneshot-log.c \
	probes/agent/supervisor/process-guardian.c \
	probes/agent/supervisor/process-keeper.c \
	probes/agent/supervisor/process-sensor.c \
	probes/agent/supervisor/process-shipper.c \
	probes/agent/supervisor/runs.c probes/agent/supervisor/supervisor.c
