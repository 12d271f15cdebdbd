# SPDX-License-Identifier: ISC
lib_SRCS += lib/base/addr-special.c lib/base/addr.c lib/base/arena.c \
	lib/base/backoff.c lib/base/buf.c lib/base/clock.c lib/base/crc32c.c \
	lib/base/err.c lib/base/handles.c lib/base/hex.c lib/base/log.c lib/base/reader.c \
	lib/base/stdio-fds.c lib/base/timer.c lib/base/wake-thread.c \
	lib/base/xalloc.c
