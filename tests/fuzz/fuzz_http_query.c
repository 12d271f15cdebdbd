/* SPDX-License-Identifier: ISC */
/* Up to a NUL: a request's target, also tried as a Host; then its body. */
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "web/http/origin-check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *target = xstrndup((const char *)data, size), *allow;
	size_t len = strlen(target), path_len = strcspn(target, "?");
	struct request r = {
		.method = "GET", .target = target, .path_len = path_len
	};
	const struct guard guard = { 0 };
	guard_host(&guard, target);
	if (router_find(&r.route, &r, &r.params, &allow) == 0)
		params_parse(&r.params, r.route->params,
		    target + path_len + (target[path_len] == '?'), NULL);
	buf_bytes(&r.body, data + len, size - len);
	json_decref(request_json(&r));
	answer_fini(&r.answer);
	params_fini(&r.params);
	buf_fini(&r.body);
	free(allow);
	free(target);
	return 0;
}
