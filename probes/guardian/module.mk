# SPDX-License-Identifier: ISC
probes_SRCS += probes/guardian/event-queue.c probes/guardian/guardian.c \
	probes/guardian/pending.c probes/guardian/session.c
