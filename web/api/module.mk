# SPDX-License-Identifier: ISC
web_SRCS += web/api/answers.c web/api/body-cache.c web/api/collector-api.c \
	web/api/download.c web/api/event-stream.c web/api/handlers.c \
	web/api/json-schema.c web/api/long-poll.c web/api/openapi.c \
	web/api/page-stream.c web/api/record-schemas.c web/api/records.c \
	web/api/results.c web/api/routes.c web/api/schemas.c web/api/self.c \
	web/api/map-cache.c
