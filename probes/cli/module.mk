# SPDX-License-Identifier: ISC
probes_SRCS += probes/cli/api-client.c probes/cli/campaign-stop.c \
	probes/cli/command.c probes/cli/completion.c probes/cli/doctor-checks.c \
	probes/cli/doctor.c probes/cli/help.c probes/cli/name-resolver.c probes/cli/list.c \
	probes/cli/measure-options.c probes/cli/measure-verbose.c \
	probes/cli/measure.c probes/cli/output.c probes/cli/records-command.c \
	probes/cli/commands.c probes/cli/run.c probes/cli/scripts.c \
	probes/cli/sensor-follow.c probes/cli/sensor-report.c probes/cli/sensor-row.c probes/cli/sensor-warnings.c probes/cli/sensor-command.c probes/cli/spike-columns.c \
	probes/cli/spike-file.c probes/cli/spike-input.c probes/cli/spike-rows.c probes/cli/spike-time.c \
	probes/cli/spikes-command.c probes/cli/submit.c \
	probes/cli/target-feed.c probes/cli/target-list.c probes/cli/token.c \
	probes/cli/vantage-run.c
