# SPDX-License-Identifier: ISC
probes_SRCS += probes/sensor/signature.c
