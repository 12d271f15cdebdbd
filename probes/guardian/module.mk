# SPDX-License-Identifier: ISC
probes_SRCS += probes/guardian/guardian.c \
	probes/guardian/pending.c probes/guardian/session.c
