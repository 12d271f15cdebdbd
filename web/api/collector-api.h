/* SPDX-License-Identifier: ISC */
/*
 * The collector's API as an application for web/http/server.h: its routes,
 * event streams, long polls, and who may do what.
 */
#pragma once

#include "lib/base/err.h"
#include "web/http/application.h"

struct api;
struct collector;

/* Begins to follow the collector's events.  -EAGAIN: the machine gives no
 * thread. */
int api_open(struct api **api, struct collector *collector, struct errmsg *msg);

/* For server_start; borrowed until api_close. */
const struct application *api_application(const struct api *api);

/* Ends every event stream and long poll; those that come later end at once.
 * Before server_stop, which waits for them. */
void api_stop(struct api *api);
/* After server_stop. */
void api_close(struct api *api);
