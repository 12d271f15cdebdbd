lib_SRCS := lib/addr.c lib/buf.c lib/clock.c lib/crc32c.c lib/err.c \
	lib/log.c lib/reader.c lib/special.c lib/timer.c lib/xalloc.c
lib_SRCS += lib/option.c lib/option-complete.c lib/option-help.c \
	lib/option-value.c
lib_SRCS += lib/config.c
lib_SRCS += lib/standard.c
lib_SRCS += lib/arena.c
lib_SRCS += lib/batch.c
lib_SRCS += lib/record.c lib/record-json.c lib/record-parse.c
lib_SRCS += lib/spool.c lib/spool-active.c lib/spool-format.c \
	lib/spool-loss.c lib/spool-reader.c lib/spool-recover.c \
	lib/spool-room.c lib/spool-segment.c
lib_GENERATED := $(O)/lib/record.pb-c.o
GENERATED_HEADERS += $(O)/lib/record.pb-c.h
