# SPDX-License-Identifier: ISC
probes_SRCS += probes/guardian/flight.c
probes_SRCS += probes/guardian/guardian.c
probes_SRCS += probes/guardian/limit.c
probes_SRCS += probes/guardian/policy.c
probes_SRCS += probes/guardian/run.c
