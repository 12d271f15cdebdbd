lib_SRCS := lib/addr.c lib/buf.c lib/crc32c.c lib/err.c lib/log.c \
	lib/reader.c lib/xalloc.c
lib_GENERATED := $(O)/lib/record.pb-c.o
GENERATED_HEADERS += $(O)/lib/record.pb-c.h
