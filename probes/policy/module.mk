# SPDX-License-Identifier: ISC
probes_SRCS += probes/policy/policy-file.c probes/policy/policy.c \
	probes/policy/rate-limit.c
