# SPDX-License-Identifier: ISC
web_SRCS += web/api/event-stream.c web/api/handlers.c web/api/health.c \
	web/api/long-poll.c web/api/metrics.c web/api/records.c web/api/routes.c \
	web/api/serve.c
