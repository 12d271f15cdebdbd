# SPDX-License-Identifier: ISC
collector_SRCS += collector/histogram.c
collector_SRCS += collector/path.c
