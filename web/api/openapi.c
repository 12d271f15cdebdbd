/* SPDX-License-Identifier: ISC */
/* Reads the tables; its own is only what holds for every route. */

#include "web/api/openapi.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "web/api/routes.h"
#include "web/api/json-schema.h"
#include "web/http/packed-body.h"

#define ABOUT                                                               \
	"Times are RFC 3339 in UTC. Numbers carry their unit in their "     \
	"name. Lists come in pages: `next` is the cursor of the next one. " \
	"An unknown parameter is an error. Reads need no token on "         \
	"loopback, or anywhere if the collector's configuration has "       \
	"open-reads. HEAD is answered wherever GET is."

/* Answers that are the same wherever they appear. */
static const struct {
	unsigned status;
	const char *name, *help;
	const char *header; /* NULL: none */
} problem_responses[] = {
	{ 400, "BadRequest",
	    "a parameter, a header or the body is wrong; `detail` names it "
	    "and what was expected",
	    NULL },
	{ 401, "Unauthorized",
	    "a token is needed, or a signature does not verify",
	    "WWW-Authenticate" },
	{ 403, "Forbidden",
	    "refused: the caller has no right to this, another site's page "
	    "may not write here, or the enrolment token is not valid",
	    NULL },
	{ 404, "NotFound", "no such thing", NULL },
	{ 405, "Method", "this path takes other methods", "Allow" },
	{ 409, "Conflict", "codes gap (with `expected`), forked, taken", NULL },
	{ 413, "TooBig", "codes too-big, bomb", NULL },
	{ 415, "MediaType", "another Content-Type is expected", NULL },
	{ 421, "Misdirected",
	    "the Host header is neither an address, localhost nor a "
	    "configured name",
	    NULL },
	{ 429, "TooMany", "this address asks too often", "Retry-After" },
	{ 500, "Internal", "a fault of the collector", NULL },
	{ 503, "Busy",
	    "try again later (busy), or the database was taken away or is "
	    "damaged and nothing is taken in or answered until an operator "
	    "acts (storage)",
	    "Retry-After" },
};

static json_t *header_json(const char *name)
{
	if (strcmp(name, "Retry-After") == 0)
		return json_pack("{s:s, s:{s:s, s:i}}", "description",
		    "seconds", "schema", "type", "integer", "minimum", 1);
	return json_pack("{s:{s:s}}", "schema", "type", "string");
}

static json_t *components_responses(void)
{
	json_t *all = json_object();
	size_t count = sizeof(problem_responses) / sizeof(*problem_responses);
	for (size_t i = 0; i < count; i++) {
		json_t *response = json_pack("{s:s, s:{s:{s:o}}}",
		    "description", problem_responses[i].help, "content",
		    "application/problem+json", "schema",
		    schema_reference("Problem"));
		const char *header = problem_responses[i].header;
		if (header)
			json_object_set_new(response, "headers",
			    json_pack("{s:o}", header, header_json(header)));
		json_object_set_new(all, problem_responses[i].name, response);
	}
	json_object_set_new(all, "NotModified",
	    json_pack(
		"{s:s}", "description", "the client's ETag is still right"));
	return all;
}

static json_t *param_schema(const struct param *param)
{
	json_t *json = json_pack("{s:s}", "type",
	    param->type == PARAM_INTEGER ? "integer" : "string");
	if (param->type == PARAM_INTEGER) {
		json_object_set_new(json, "minimum", json_integer(param->min));
		if (param->max != INT64_MAX)
			json_object_set_new(
			    json, "maximum", json_integer(param->max));
	}
	if (param->type == PARAM_ID || param->type == PARAM_HEX)
		json_object_set_new(json, "pattern",
		    json_sprintf("^[0-9a-f]{%d}$",
			param->type == PARAM_ID ? 32 : (int)param->max));
	if (param->type == PARAM_WORD) {
		json_t *words = json_array();
		for (const char *const *w = param->words; *w; w++)
			json_array_append_new(words, json_string(*w));
		json_object_set_new(json, "enum", words);
	}
	if (param->type == PARAM_WORDS) {
		struct buf any = { 0 };
		for (const char *const *w = param->words; *w; w++)
			buf_printf(&any, "%s%s", any.len ? "|" : "", *w);
		json_object_set_new(json, "pattern",
		    json_sprintf("^(%.*s)(,(%.*s))*$", (int)any.len,
			(const char *)any.data, (int)any.len,
			(const char *)any.data));
		buf_fini(&any);
	}
	if (param->fallback)
		json_object_set_new(json, "default",
		    param->type == PARAM_INTEGER
			? json_integer(strtoll(param->fallback, NULL, 10))
			: json_string(param->fallback));
	return json;
}

static json_t *param_json(
    const struct param *param, const char *in, bool required)
{
	json_t *json =
	    json_pack("{s:s, s:s, s:s, s:o}", "name", param->name, "in", in,
		"description", param->help, "schema", param_schema(param));
	if (required)
		json_object_set_new(json, "required", json_true());
	if (param->example)
		json_object_set_new(
		    json, "example", json_string(param->example));
	return json;
}

static json_t *parameters_of(const struct api_route *route)
{
	json_t *list = json_array();
	if (route->segment)
		json_array_append_new(
		    list, param_json(route->segment, "path", true));
	for (const struct param *const *p = route->route.params; p && *p; p++)
		json_array_append_new(list, param_json(*p, "query", false));
	for (const struct param *const *p = route->headers; p && *p; p++)
		json_array_append_new(
		    list, param_json(*p, "header", route->headers_required));
	return list;
}

static json_t *security_of(enum scope scope)
{
	switch (scope) {
	case SCOPE_OPEN: return json_pack("[{}]");
	case SCOPE_READ: return json_pack("[{}, {s:[]}]", "token");
	case SCOPE_WRITE: return json_pack("[{s:[]}]", "token");
	}
	return NULL;
}

/* {"schema": ..., "example": ...} of a JSON body. */
static json_t *json_content(const char *schema, bool page)
{
	json_t *one = schema_reference(schema);
	json_t *example = schema_example(schema);
	if (!page)
		return json_pack(
		    "{s:o, s:o}", "schema", one, "example", example);
	return json_pack("{s:{s:s, s:[s, s], s:{s:{s:s, s:o},"
			 " s:{s:[s, s], s:s}}}, s:{s:[o], s:n}}",
	    "schema", "type", "object", "required", "items", "next",
	    "properties", "items", "type", "array", "items", one, "next",
	    "type", "string", "null", "description",
	    "the cursor of the next page; null: this is the last", "example",
	    "items", example, "next");
}

static void add_media(json_t *content, const struct api_media *media)
{
	for (; media && media->type; media++) {
		json_t *json = media->schema
		    ? json_pack(
			  "{s:o}", "schema", schema_reference(media->schema))
		    : json_pack("{s:{s:s}}", "schema", "type", "string");
		if (media->example)
			json_object_set_new(
			    json, "example", json_string(media->example));
		json_object_set_new(content, media->type, json);
	}
}

static json_t *good_response(const struct api_route *route)
{
	json_t *content = json_object();
	if (route->answer)
		json_object_set_new(content, "application/json",
		    json_content(route->answer, route->pages));
	add_media(content, route->media);
	json_t *json = json_pack("{s:s, s:o}", "description",
	    route->answer_help ? route->answer_help : "as asked for", "content",
	    content);
	if (strcmp(route->route.method, "GET") == 0 && !route->streams)
		json_object_set_new(json, "headers",
		    json_pack("{s:{s:s, s:{s:s}}}", "ETag", "description",
			"of these bytes", "schema", "type", "string"));
	return json;
}

static bool has_param(const struct api_route *route, const char *name)
{
	for (const struct param *const *p = route->route.params; p && *p; p++)
		if (strcmp((*p)->name, name) == 0)
			return true;
	return false;
}

static bool can_answer(const struct api_route *route, unsigned status)
{
	const struct route *r = &route->route;
	unsigned errors = route->errors;
	switch (status) {
	case 401: return r->scope != SCOPE_OPEN || (errors & API_401);
	case 403: return r->scope != SCOPE_OPEN || (errors & API_403);
	case 404:
		return route->segment || has_param(route, "agent") ||
		    (errors & API_404);
	case 409: return errors & API_409;
	case 415: return r->body != ROUTE_NO_BODY;
	default: return true;
	}
}

static json_t *responses_of(const struct api_route *route)
{
	json_t *all = json_object();
	size_t count = sizeof(problem_responses) / sizeof(*problem_responses);
	char status[12];
	snprintf(
	    status, sizeof(status), "%u", route->status ? route->status : 200);
	json_object_set_new(all, status, good_response(route));
	if (strcmp(route->route.method, "GET") == 0 && !route->streams)
		json_object_set_new(all, "304",
		    json_pack(
			"{s:s}", "$ref", "#/components/responses/NotModified"));
	for (size_t i = 0; i < count; i++) {
		if (!can_answer(route, problem_responses[i].status))
			continue;
		snprintf(
		    status, sizeof(status), "%u", problem_responses[i].status);
		json_object_set_new(all, status,
		    json_pack("{s:o}", "$ref",
			json_sprintf("#/components/responses/%s",
			    problem_responses[i].name)));
	}
	return all;
}

static json_t *body_of(const struct api_route *route)
{
	if (route->route.body == ROUTE_BATCH)
		return json_pack("{s:b, s:{s:{s:{s:s}}}}", "required", 1,
		    "content", "application/vnd.sonde.batch", "schema",
		    "description", route->body);
	return json_pack("{s:b, s:{s:o}}", "required", !route->body_optional,
	    "content", "application/json", json_content(route->body, false));
}

static json_t *operation_of(const struct api_route *route)
{
	json_t *json = json_pack("{s:s, s:[s], s:s}", "operationId", route->id,
	    "tags", route->tag, "summary", route->summary);
	if (route->description)
		json_object_set_new(
		    json, "description", json_string(route->description));
	json_object_set_new(json, "security", security_of(route->route.scope));
	json_t *parameters = parameters_of(route);
	if (json_array_size(parameters) > 0)
		json_object_set(json, "parameters", parameters);
	json_decref(parameters);
	if (route->body)
		json_object_set_new(json, "requestBody", body_of(route));
	json_object_set_new(json, "responses", responses_of(route));
	return json;
}

/* /healthz answers with its own body when it is not well. */
static void add_health_answer(json_t *paths)
{
	json_t *responses = NULL;
	if (json_unpack(paths, "{s:{s:{s:o}}}", "/healthz", "get", "responses",
		&responses) != 0)
		return;
	json_object_set_new(responses, "503",
	    json_pack("{s:s, s:{s:o}, s:{s:{s:o}, s:{s:o}}}", "description",
		"something is not (application/json), or too much to do "
		"(application/problem+json)",
		"headers", "Retry-After", header_json("Retry-After"), "content",
		"application/json", "schema", schema_reference("Health"),
		"application/problem+json", "schema",
		schema_reference("Problem")));
}

static json_t *paths_of(const struct application *app)
{
	json_t *paths = json_object();
	for (size_t i = 0; i < app->route_count; i++) {
		const struct api_route *route = routes_of(app->route_at(i));
		const char *path = route->route.path;
		char method[8] = "";
		for (size_t k = 0; k < 7 && route->route.method[k]; k++)
			method[k] = (char)tolower(route->route.method[k]);
		json_t *item = json_object_get(paths, path);
		if (!item) {
			item = json_object();
			json_object_set_new(paths, path, item);
		}
		json_object_set_new(item, method, operation_of(route));
	}
	add_health_answer(paths);
	return paths;
}

static void add_schemas(json_t *to, const struct schema *schemas)
{
	for (const struct schema *s = schemas; s->name; s++)
		json_object_set_new(to, s->name, schema_json(s));
}

static json_t *tags_of(const struct application *app)
{
	json_t *tags = json_array();
	for (size_t i = 0; i < app->route_count; i++) {
		const char *tag = routes_of(app->route_at(i))->tag;
		bool known = false;
		size_t k;
		json_t *item;
		json_array_foreach(tags, k, item) known |=
		    strcmp(json_string_value(json_object_get(item, "name")),
			tag) == 0;
		if (!known)
			json_array_append_new(
			    tags, json_pack("{s:s}", "name", tag));
	}
	return tags;
}

json_t *openapi_document(const struct application *app)
{
	json_t *schemas = json_object();
	add_schemas(schemas, api_schemas);
	add_schemas(schemas, record_schemas);
	return json_pack("{s:s, s:{s:s, s:s, s:s, s:{s:s, s:s}, s:s},"
			 " s:[{s:s}], s:o, s:o,"
			 " s:{s:{s:{s:s, s:s, s:s}}, s:o, s:o}}",
	    "openapi", "3.1.0", "info", "title", "Sonde collector", "version",
	    "1", "summary",
	    "Measurements and worm sightings of many vantage points", "license",
	    "name", "ISC", "identifier", "ISC", "description", ABOUT, "servers",
	    "url", "/", "tags", tags_of(app), "paths", paths_of(app),
	    "components", "securitySchemes", "token", "type", "http", "scheme",
	    "bearer", "description", "the text of the collector's admin.token",
	    "responses", components_responses(), "schemas", schemas);
}

static int append_text(const char *text, size_t len, void *to)
{
	buf_bytes(to, text, len);
	return 0;
}

struct packed_body *openapi_body(const struct application *app)
{
	json_t *document = openapi_document(app);
	struct buf text = { 0 };
	if (json_dump_callback(document, append_text, &text, JSON_INDENT(1)) !=
	    0)
		BUG("the API document is not JSON");
	json_decref(document);
	return packed_body_new(&text, "application/json");
}
