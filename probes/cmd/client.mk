# SPDX-License-Identifier: ISC
# The commands that talk to a collector, and the doctor.
probes_SRCS += probes/cmd/agents.c
probes_SRCS += probes/cmd/campaigns.c
probes_SRCS += probes/cmd/client.c
probes_SRCS += probes/cmd/doctor.c
probes_SRCS += probes/cmd/doctor-checks.c
probes_SRCS += probes/cmd/records.c
probes_SRCS += probes/cmd/runs.c
probes_SRCS += probes/cmd/submit.c
probes_SRCS += probes/cmd/token.c
