/* SPDX-License-Identifier: ISC */
/* /api/v1/topology: thousands of nodes, asked for by every open page every few
 * seconds; made and compressed once per revision of the paths. */

#include <string.h>

#include "collector/query/query.h"
#include "web/api/answers.h"
#include "web/api/api-private.h"
#include "web/api/body-cache.h"
#include "web/api/handlers.h"
#include "web/http/packed-body.h"

struct map_request {
	const struct query_context *context;
	int err;
	struct errmsg msg;
};

static struct packed_body *make_map(void *arg)
{
	struct map_request *map = arg;
	struct buf text = { 0 };
	map->err = query_topology(map->context, &text, &map->msg);
	if (map->err < 0) {
		buf_fini(&text);
		return NULL;
	}
	return packed_body_new(&text, "application/json");
}

static int find_map(
    struct request *request, struct packed_body **body, struct errmsg *msg)
{
	struct api *api = request_api(request);
	const struct query_args args = { request_arg, request };
	const struct query_context context = { .collector = api->collector,
		.principal = request->caller.principal,
		.args = &args };
	struct query_topology_key asked;
	struct map_request map = { .context = &context };
	uint8_t key[BODY_KEY_LEN] = { 0 };
	int err = query_topology_key(&context, &asked, msg);
	if (err < 0)
		return err;
	memcpy(key, &asked.from_ns, 8);
	memcpy(key + 8, &asked.to_ns, 8);
	memcpy(key + 16, &asked.agent_row, 8);
	*body = body_cache_get(
	    api->maps, key, asked.revision, monotime_now(), make_map, &map);
	if (*body)
		return 0;
	*msg = map.msg;
	return map.err;
}

void handle_topology(struct request *request)
{
	struct packed_body *body = NULL;
	struct errmsg msg = { "" };
	int err = find_map(request, &body, &msg);
	if (err < 0)
		answer_error(request, err, &msg);
	else
		packed_body_answer(body, request);
	packed_body_unref(body);
	request_done(request);
}
