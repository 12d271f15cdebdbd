# SPDX-License-Identifier: ISC
collector_SRCS += collector/detect/engine.c collector/detect/series.c
