/* SPDX-License-Identifier: ISC */
/* /healthz: how the collector is, for machines that ask often. */

#include "collector/core/stats.h"
#include "web/api/handlers.h"
#include "web/http/http-private.h"

void handle_health(struct request *request)
{
	json_t *checks = NULL;
	bool well = collector_health(request->web->collector, &checks);
	answer_json(&request->answer, well ? 200 : 503,
	    json_pack("{s:s,s:o}", "status", well ? "ok" : "degraded", "checks",
		checks ? checks : json_object()));
	request->answer.cache_control = "no-store";
	request_done(request);
}
