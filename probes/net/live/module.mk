# SPDX-License-Identifier: ISC
probes_SRCS += probes/net/live/live-addr.c probes/net/live/live-bypass.c \
	probes/net/live/live-copies.c \
	probes/net/live/live-deny.c probes/net/live/live-echo.c probes/net/live/live-echo-message.c \
	probes/net/live/live-feed.c probes/net/live/live-filter.c probes/net/live/live-hooks.c \
	probes/net/live/live-links.c \
	probes/net/live/live-message.c \
	probes/net/live/live-ports.c probes/net/live/live-ring.c \
	probes/net/live/live-sockets.c probes/net/live/live-route.c \
	probes/net/live/live-spec.c probes/net/live/live-tables.c \
	probes/net/live/live-user.c \
	probes/net/live/netlink.c \
	probes/net/live/live-stamp.c probes/net/live/live.c
