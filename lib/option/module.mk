# SPDX-License-Identifier: ISC
lib_SRCS += lib/option/config-file.c lib/option/option-complete.c \
	lib/option/option-help.c lib/option/option-value.c lib/option/option.c \
	lib/option/param.c lib/option/way.c
