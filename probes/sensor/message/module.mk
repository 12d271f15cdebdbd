# SPDX-License-Identifier: ISC
probes_SRCS += probes/sensor/message/datagram.c \
	probes/sensor/message/message.c \
	probes/sensor/message/message-udp.c \
	probes/sensor/message/udp-link.c probes/sensor/message/udp-manage.c \
	probes/sensor/message/udp-media.c probes/sensor/message/udp-names.c \
	probes/sensor/message/udp-peers.c probes/sensor/message/udp-secure.c \
	probes/sensor/message/udp-services.c \
	probes/sensor/message/udp-things.c
