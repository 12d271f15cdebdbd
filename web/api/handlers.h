/* SPDX-License-Identifier: ISC */
/* The handlers of routes.c, by the file that has them. */
#pragma once

#include "web/http/router.h"

/* handlers.c: what changes something */
route_handler handle_tokens;
route_handler handle_enrol;
route_handler handle_ingest;
route_handler handle_campaign_create;
route_handler handle_campaign_stop;

route_handler handle_topology;               /* map-cache.c */
route_handler handle_records;                /* records.c */
route_handler handle_result_rows;            /* results.c */
extern const struct param events_param_last; /* event-stream.c */
extern const struct param work_param_after;  /* long-poll.c */

route_handler handle_events;  /* event-stream.c */
route_handler handle_work;    /* long-poll.c */
route_handler handle_health;  /* self.c */
route_handler handle_openapi; /* self.c */
route_handler handle_metrics; /* self.c */
