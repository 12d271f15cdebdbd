# SPDX-License-Identifier: ISC
lib_SRCS += lib/spool/spool-format.c lib/spool/spool-gap.c \
	lib/spool/spool-quota.c lib/spool/spool-reader.c lib/spool/spool-recover.c \
	lib/spool/spool-segment.c lib/spool/spool-write.c lib/spool/spool.c
