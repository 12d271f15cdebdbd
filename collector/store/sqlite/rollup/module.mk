# SPDX-License-Identifier: ISC
collector_SRCS += $(addprefix collector/store/sqlite/rollup/, \
	bins.c count.c flush.c gather.c import.c links.c merge.c names.c \
	path-rows.c path-who.c paths.c read-paths.c read-sources.c read-sources-days.c \
	read-sources-places.c read-sources-rows.c read-sources-top.c \
	read-tables.c rollup-db.c rollup-expire.c rollup-part.c rollup-runs.c \
	rollup-unsent.c seen.c segment.c sources.c)
