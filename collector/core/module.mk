# SPDX-License-Identifier: ISC
collector_SRCS += collector/core/admin-token.c collector/core/agent-table.c \
	collector/core/chore-log.c collector/core/config-check.c \
	collector/core/config.c \
	collector/core/database.c collector/core/event-log.c \
	collector/core/fault.c collector/core/generation.c \
	collector/core/levels.c collector/core/listener.c \
	collector/core/maintenance.c collector/core/own-address.c \
	collector/core/reader-pool.c collector/core/result-schemas.c \
	collector/core/stats.c collector/core/trusted-clock.c \
	collector/core/trusted-time.c collector/core/writer.c \
	collector/core/chores.c collector/core/upkeep.c
