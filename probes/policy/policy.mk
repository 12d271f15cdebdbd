# SPDX-License-Identifier: ISC
probes_SRCS += probes/policy/file.c
