# SPDX-License-Identifier: ISC
lib_SRCS += lib/packet/carrier-ip.c lib/packet/carrier-ppp.c \
	lib/packet/carrier-udp.c lib/packet/carrier.c lib/packet/decode-icmp.c \
	lib/packet/decode-sum.c lib/packet/decode.c lib/packet/interface.c \
	lib/packet/link-tap.c lib/packet/link-juniper.c \
	lib/packet/link-serial.c lib/packet/link-wireless.c lib/packet/link.c \
	lib/packet/reason.c
