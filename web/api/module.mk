# SPDX-License-Identifier: ISC
web_SRCS += web/api/answers.c web/api/api.c web/api/event-stream.c \
	web/api/handlers.c web/api/long-poll.c web/api/records.c web/api/routes.c \
	web/api/self.c
