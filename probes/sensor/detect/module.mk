# SPDX-License-Identifier: ISC
probes_SRCS += probes/sensor/detect/builtin.c \
	probes/sensor/detect/detectors.c probes/sensor/detect/flood-watch.c \
	probes/sensor/detect/flood.c probes/sensor/detect/known-scanners.c \
	probes/sensor/detect/odds.c probes/sensor/detect/scan.c \
	probes/sensor/detect/tools.c
