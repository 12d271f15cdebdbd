# SPDX-License-Identifier: ISC
collector_SRCS += collector/core/config-check.c collector/core/config.c \
	collector/core/event-log.c collector/core/fault.c \
	collector/core/maintenance.c collector/core/reader-pool.c \
	collector/core/stats.c collector/core/writer.c
