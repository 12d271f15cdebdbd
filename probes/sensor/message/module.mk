# SPDX-License-Identifier: ISC
probes_SRCS += probes/sensor/message/message.c \
	probes/sensor/message/message-udp.c
