# SPDX-License-Identifier: ISC
web_SRCS += web/http/client-limits.c web/http/exchange.c web/http/in-flight.c \
	web/http/listen.c web/http/origin-check.c web/http/packed-body.c \
	web/http/params.c web/http/problem.c web/http/request.c \
	web/http/response.c web/http/router.c web/http/server-config.c \
	web/http/server.c web/http/static.c web/http/stream.c \
	web/http/worker-pool.c
