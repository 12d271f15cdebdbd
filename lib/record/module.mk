# SPDX-License-Identifier: ISC
lib_SRCS += lib/record/batch.c lib/record/kinds.c lib/record/outcome.c \
	lib/record/record-json.c \
	lib/record/record-parse.c lib/record/record-read.c \
	lib/record/record-schema.c lib/record/record-texts.c \
	lib/record/record.c lib/record/result-json.c \
	lib/record/result-row.c \
	lib/record/result-train.c lib/record/result-view.c \
	lib/record/result.c
lib_GENERATED := $(O)/lib/record/record.pb-c.o
GENERATED_HEADERS += $(O)/lib/record/record.pb-c.h
