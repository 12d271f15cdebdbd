# SPDX-License-Identifier: ISC
probes_SRCS += probes/sandbox/capabilities.c probes/sandbox/landlock.c \
	probes/sandbox/namespaces.c probes/sandbox/rlimits.c \
	probes/sandbox/sandbox.c probes/sandbox/seccomp.c
