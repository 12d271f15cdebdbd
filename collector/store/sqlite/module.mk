# SPDX-License-Identifier: ISC
collector_SRCS += collector/store/sqlite/bins.c \
	collector/store/sqlite/ingest.c collector/store/sqlite/legacy.c collector/store/sqlite/provider.c \
	collector/store/sqlite/read-records.c collector/store/sqlite/read-series.c \
	collector/store/sqlite/result-tables.c collector/store/sqlite/retention.c collector/store/sqlite/rollup-paths.c \
	collector/store/sqlite/rollup-runs.c \
	collector/store/sqlite/rollup-sightings.c collector/store/sqlite/rollup.c \
	collector/store/sqlite/schema.c collector/store/sqlite/source-cache.c
