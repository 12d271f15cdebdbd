# SPDX-License-Identifier: ISC
lib_SRCS += lib/formats/atlas.c lib/formats/csv-cell.c lib/formats/csv-result.c \
	lib/formats/csv-train.c lib/formats/csv.c lib/formats/format.c \
	lib/formats/json-line.c lib/formats/json.c lib/formats/reply-text.c \
	lib/formats/result-cell.c lib/formats/result-stream.c \
	lib/formats/scamper-form.c lib/formats/scamper.c \
	lib/formats/text-ping.c lib/formats/text-result.c \
	lib/formats/text-style.c lib/formats/text-trace.c lib/formats/text.c \
	lib/formats/warts-params.c lib/formats/warts.c
