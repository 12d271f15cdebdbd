/* SPDX-License-Identifier: ISC */
/* The handlers of routes.c, by the file that has them. */
#pragma once

#include "web/http/router.h"

/* handlers.c: what asks or tells the collector */
route_handler handle_tokens;
route_handler handle_enrol;
route_handler handle_ingest;
route_handler handle_campaign_create;
route_handler handle_campaign_stop;

route_handler handle_records; /* records.c */
route_handler handle_events;  /* event-stream.c */
route_handler handle_work;    /* long-poll.c */
route_handler handle_health;  /* health.c */
route_handler handle_metrics; /* metrics.c */

/* The answer for what a function of the collector returned. */
void answer_error(struct request *request, int err, const struct errmsg *msg);
/* A parameter's text, for struct query_args; ctx is the request. */
const char *request_arg(void *ctx, const char *name);
