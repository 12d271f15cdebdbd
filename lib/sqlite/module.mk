# SPDX-License-Identifier: ISC
# Only the collector links libsqlite3.
collector_SRCS += lib/sqlite/db-files.c lib/sqlite/db-schema.c lib/sqlite/db.c
