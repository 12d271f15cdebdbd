/* SPDX-License-Identifier: ISC */
/* Paths against templates, segment by segment, before decoding: a slash that
 * is encoded belongs to its segment. */

#include "web/http/router.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

static size_t segment_len(const char *p, const char *end)
{
	const char *slash = memchr(p, '/', (size_t)(end - p));
	return (size_t)((slash ? slash : end) - p);
}

/* 0, ERR_NOT_FOUND, or an error of params_add_segment. */
static int match_path(const char *template, const char *path, size_t len,
    struct request_params *params)
{
	const char *end = path + len;
	const char *template_end = template + strlen(template);
	while (*template == '/' && path < end && *path == '/') {
		template ++;
		path++;
		size_t want = segment_len(template, template_end);
		size_t got = segment_len(path, end);
		int err = 0;
		if (*template != '{')
			err = want == got && memcmp(template, path, got) == 0
			    ? 0
			    : ERR_NOT_FOUND;
		else if (got == 0)
			err = ERR_NOT_FOUND;
		else
			err = params_add_segment(
			    params, template + 1, want - 2, path, got);
		if (err != 0)
			return err;
		template += want;
		path += got;
	}
	return template == template_end && path == end ? 0 : ERR_NOT_FOUND;
}

static bool takes_method(const struct route *route, const char *method)
{
	return strcmp(route->method, method) == 0 ||
	    (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

static void allow_method(char **allow, const char *method)
{
	const char *more = strcmp(method, "GET") == 0 ? "GET, HEAD" : method;
	char *old = *allow;
	*allow = old ? xasprintf("%s, %s", old, more) : xstrdup(more);
	free(old);
}

int router_find(const struct route **route, const struct request *request,
    struct request_params *params, char **allow)
{
	*allow = NULL;
	for (size_t i = 0; i < request->app->route_count; i++) {
		*route = request->app->route_at(i);
		int err = match_path(
		    (*route)->path, request->target, request->path_len, params);
		if (err == 0 && takes_method(*route, request->method)) {
			free(*allow);
			*allow = NULL;
			return 0;
		}
		params_fini(params);
		if (err == 0)
			allow_method(allow, (*route)->method);
		else if (err != ERR_NOT_FOUND)
			return ERR_MALFORMED;
	}
	return *allow ? ERR_UNSUPPORTED : ERR_NOT_FOUND;
}
