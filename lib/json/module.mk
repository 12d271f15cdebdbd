# SPDX-License-Identifier: ISC
lib_SRCS += lib/json/json-buf.c lib/json/json-value.c
