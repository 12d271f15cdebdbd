# SPDX-License-Identifier: ISC
collector_SRCS += collector/store/block.c collector/store/block-find.c \
	collector/store/block-head.c collector/store/block-read.c \
	collector/store/block-schema.c collector/store/block-write.c \
	collector/store/prepared-batch.c collector/store/select.c
