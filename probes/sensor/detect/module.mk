# SPDX-License-Identifier: ISC
probes_SRCS += probes/sensor/detect/builtin.c probes/sensor/detect/classify.c \
	probes/sensor/detect/flood.c
