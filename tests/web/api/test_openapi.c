/* SPDX-License-Identifier: ISC */
/* The API document is whole: every route, parameter, problem and reference. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <jansson.h>

#include "web/api/openapi.h"
#include "web/api/routes.h"
#include "web/http/problem.h"

static json_t *document;

static int load(void **state)
{
	const struct application app = { .route_count = routes_count(),
		.route_at = routes_at };
	(void)state;
	document = openapi_document(&app);
	return document ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	json_decref(document);
	return 0;
}

/* "#/components/schemas/Agent" */
static const json_t *resolve(const char *reference)
{
	char word[64];
	const json_t *at = document;
	const char *p = reference;
	assert_int_equal(*p, '#');
	for (p++; at && *p == '/';) {
		size_t len = strcspn(++p, "/");
		snprintf(word, sizeof(word), "%.*s", (int)len, p);
		at = json_object_get(at, word);
		p += len;
	}
	return at;
}

static const json_t *operation_of(const struct route *route)
{
	char method[16];
	size_t i = 0;
	for (; route->method[i] && i < sizeof(method) - 1; i++)
		method[i] = (char)tolower((unsigned char)route->method[i]);
	method[i] = 0;
	return json_object_get(
	    json_object_get(json_object_get(document, "paths"), route->path),
	    method);
}

static const char *text(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));
	return s ? s : "";
}

static bool takes(const struct route *route, const char *name)
{
	for (const struct param *const *p = route->params; p && *p; p++)
		if (strcmp((*p)->name, name) == 0)
			return true;
	return false;
}

static bool is_in_path(const struct route *route, const char *name)
{
	char variable[64];
	snprintf(variable, sizeof(variable), "{%s}", name);
	return strstr(route->path, variable) != NULL;
}

static void every_route_is_in_the_document(void **state)
{
	(void)state;
	assert_true(routes_count() > 20);
	for (size_t i = 0; i < routes_count(); i++) {
		const struct route *route = routes_at(i);
		if (!operation_of(route))
			fail_msg("no %s %s", route->method, route->path);
	}
}

static bool is_route(const char *path, const char *method)
{
	for (size_t i = 0; i < routes_count(); i++)
		if (strcmp(routes_at(i)->path, path) == 0 &&
		    strcasecmp(routes_at(i)->method, method) == 0)
			return true;
	return false;
}

static void the_document_has_no_other_route(void **state)
{
	const char *path, *method;
	json_t *item, *operation;
	(void)state;
	json_object_foreach(json_object_get(document, "paths"), path, item)
	    json_object_foreach(
		item, method, operation) if (!is_route(path, method))
		fail_msg("no route %s %s", method, path);
}

/* Every parameter of the document is the route's; counts those in the query
 * and the path. */
static void count_parameters(
    const struct route *route, size_t *in_query, size_t *in_path)
{
	size_t i;
	json_t *item;
	json_array_foreach(
	    json_object_get(operation_of(route), "parameters"), i, item)
	{
		const char *reference = text(item, "$ref");
		const json_t *parameter =
		    *reference ? resolve(reference) : item;
		const char *name = text(parameter, "name");
		const char *in = text(parameter, "in");
		if (strcmp(in, "query") == 0) {
			(*in_query)++;
			if (!takes(route, name))
				fail_msg(
				    "%s does not take '%s'", route->path, name);
		} else if (strcmp(in, "path") == 0) {
			(*in_path)++;
			if (!is_in_path(route, name))
				fail_msg("%s has no {%s}", route->path, name);
		}
	}
}

static void parameters_are_those_of_the_route(void **state)
{
	(void)state;
	for (size_t i = 0; i < routes_count(); i++) {
		const struct route *route = routes_at(i);
		size_t want = 0, variables = 0, in_query = 0, in_path = 0;
		for (const struct param *const *p = route->params; p && *p; p++)
			want++;
		for (const char *p = route->path; *p; p++)
			variables += *p == '{';
		count_parameters(route, &in_query, &in_path);
		if (in_query != want || in_path != variables)
			fail_msg("%s: %zu query parameters and %zu in the "
				 "path, the route has %zu and %zu",
			    route->path, in_query, in_path, want, variables);
	}
}

static void security_is_that_of_the_route(void **state)
{
	static const char *const as_text[] = { [SCOPE_OPEN] = "[{}]",
		[SCOPE_READ] = "[{},{\"token\":[]}]",
		[SCOPE_WRITE] = "[{\"token\":[]}]" };
	(void)state;
	for (size_t i = 0; i < routes_count(); i++) {
		const struct route *route = routes_at(i);
		char *security =
		    json_dumps(json_object_get(operation_of(route), "security"),
			JSON_COMPACT);
		assert_non_null(security);
		if (strcmp(security, as_text[route->scope]) != 0)
			fail_msg(
			    "%s %s: %s", route->method, route->path, security);
		free(security);
	}
}

static void bodies_are_those_of_the_route(void **state)
{
	static const char *const types[] = { [ROUTE_JSON] = "application/json",
		[ROUTE_BATCH] = "application/vnd.sonde.batch" };
	(void)state;
	for (size_t i = 0; i < routes_count(); i++) {
		const struct route *route = routes_at(i);
		const json_t *content = json_object_get(
		    json_object_get(operation_of(route), "requestBody"),
		    "content");
		assert_int_equal(content != NULL, route->body != ROUTE_NO_BODY);
		if (content)
			assert_non_null(
			    json_object_get(content, types[route->body]));
	}
}

static void problems_are_all_listed(void **state)
{
	const json_t *codes = json_object_get(
	    json_object_get(
		json_object_get(
		    resolve("#/components/schemas/Problem"), "properties"),
		"code"),
	    "enum");
	(void)state;
	assert_int_equal(json_array_size(codes), PROBLEMS);
	for (int p = 0; p < PROBLEMS; p++) {
		size_t i;
		json_t *code;
		bool found = false;
		json_array_foreach(codes, i, code) found |=
		    strcmp(json_string_value(code),
			problem_code((enum problem)p)) == 0;
		if (!found)
			fail_msg("no %s", problem_code((enum problem)p));
	}
}

static void check_references(const json_t *at)
{
	const char *name;
	size_t i;
	json_t *item;
	const char *reference = text(at, "$ref");
	if (*reference && !resolve(reference))
		fail_msg("%s leads nowhere", reference);
	json_object_foreach((json_t *)(uintptr_t)at, name, item)
	    check_references(item);
	json_array_foreach(at, i, item) check_references(item);
}

static void references_lead_somewhere(void **state)
{
	(void)state;
	check_references(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_is_in_the_document),
		cmocka_unit_test(the_document_has_no_other_route),
		cmocka_unit_test(parameters_are_those_of_the_route),
		cmocka_unit_test(security_is_that_of_the_route),
		cmocka_unit_test(bodies_are_those_of_the_route),
		cmocka_unit_test(problems_are_all_listed),
		cmocka_unit_test(references_lead_somewhere),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
