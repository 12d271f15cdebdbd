# SPDX-License-Identifier: ISC
probes_SRCS += probes/agent/config/agent-config.c probes/agent/config/enrol.c \
	probes/agent/config/identity.c
