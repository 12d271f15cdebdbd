# SPDX-License-Identifier: ISC
collector_SRCS += collector/ingest/decode-batch.c \
	collector/ingest/ingest.c collector/ingest/plausible.c
