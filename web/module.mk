# SPDX-License-Identifier: ISC
web_SRCS := web/clients.c web/guard.c web/params.c web/pool.c web/request.c
