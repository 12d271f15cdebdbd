# SPDX-License-Identifier: ISC
probes_SRCS += probes/ipc/counters.c probes/ipc/entry-queue.c \
	probes/ipc/fd-pass.c \
	probes/ipc/frame-batch.c probes/ipc/precedence.c \
	probes/ipc/process.c probes/ipc/record-frame.c
