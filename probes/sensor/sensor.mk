# SPDX-License-Identifier: ISC
probes_SRCS += probes/sensor/distinct.c
probes_SRCS += probes/sensor/payloads.c
probes_SRCS += probes/sensor/signature.c
