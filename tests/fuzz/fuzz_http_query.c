/* SPDX-License-Identifier: ISC */
/* Up to a NUL: a request's target, also tried as a Host; then its body. */
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "web/api/answers.h"
#include "web/api/routes.h"
#include "web/http/application.h"
#include "web/http/origin-check.h"
#include "web/http/response.h"
#include "web/http/router.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *target = xstrndup((const char *)data, size), *allow;
	size_t len = strlen(target), path_len = strcspn(target, "?");
	const struct application app = { .route_count = routes_count(),
		.route_at = routes_at };
	struct request r = { .app = &app,
		.method = "GET",
		.target = target,
		.path_len = path_len };
	const struct origin_rules origins = { 0 };
	origin_check_host(&origins, target);
	if (router_find(&r.route, &r, &r.params, &allow) == 0)
		params_parse(&r.params, r.route->params,
		    target + path_len + (target[path_len] == '?'), NULL);
	buf_bytes(&r.body, data + len, size - len);
	json_decref(request_json(&r));
	response_fini(&r.response);
	params_fini(&r.params);
	buf_fini(&r.body);
	free(allow);
	free(target);
	return 0;
}
