# SPDX-License-Identifier: ISC
lib_SRCS += lib/json/json-value.c
