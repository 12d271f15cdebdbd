# SPDX-License-Identifier: ISC
probes_SRCS += probes/agent/config/agent-config.c \
	probes/agent/config/campaign-choice.c probes/agent/config/enrolment.c \
	probes/agent/config/identity.c
