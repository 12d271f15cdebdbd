# SPDX-License-Identifier: ISC
probes_SRCS += probes/cmd/completion.c
probes_SRCS += probes/cmd/help.c
probes_SRCS += probes/cmd/hosts.c
probes_SRCS += probes/cmd/measure.c
probes_SRCS += probes/cmd/output.c
probes_SRCS += probes/cmd/run.c
probes_SRCS += probes/cmd/scripts.c
probes_SRCS += probes/cmd/spike-rows.c
probes_SRCS += probes/cmd/spikes.c
probes_SRCS += probes/cmd/sensor.c
probes_SRCS += probes/cmd/sensor-report.c
probes_SRCS += probes/cmd/table.c
probes_SRCS += probes/cmd/unknown.c
probes_SRCS += probes/cmd/verbose.c
$(eval $(call program,sonde,probes/sonde.c,https probes analysis lib))
