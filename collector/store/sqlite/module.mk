# SPDX-License-Identifier: ISC
collector_SRCS += collector/store/sqlite/append.c \
	collector/store/sqlite/expire.c \
	collector/store/sqlite/legacy.c collector/store/sqlite/migrate.c \
	collector/store/sqlite/partition-set.c \
	collector/store/sqlite/partition-source.c \
	collector/store/sqlite/partition.c collector/store/sqlite/postings.c \
	collector/store/sqlite/provider.c collector/store/sqlite/read-plan.c \
	collector/store/sqlite/records-table.c \
	collector/store/sqlite/replay.c collector/store/sqlite/result-tables.c \
	collector/store/sqlite/roll-over.c collector/store/sqlite/schema.c \
	collector/store/sqlite/store-view.c
