# SPDX-License-Identifier: ISC
lib_SRCS += lib/sketch/distinct.c lib/sketch/hash-index.c \
	lib/sketch/histogram.c lib/sketch/census.c lib/sketch/registers.c
