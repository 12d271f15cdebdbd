/* SPDX-License-Identifier: ISC */
/* Tables of fields as JSON Schema (draft 2020-12, which OpenAPI 3.1 uses). */

#include "web/api/json-schema.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "web/http/problem.h"

#define HEX_32 "^[0-9a-f]{32}$"

static const struct schema *find_schema(const char *name)
{
	for (const struct schema *s = api_schemas; s->name; s++)
		if (strcmp(s->name, name) == 0)
			return s;
	for (const struct schema *s = record_schemas; s->name; s++)
		if (strcmp(s->name, name) == 0)
			return s;
	BUG("no schema '%s'", name);
}

json_t *schema_reference(const char *name)
{
	return json_pack("{s:o}", "$ref",
	    json_sprintf("#/components/schemas/%s", find_schema(name)->name));
}

static void set_bound(json_t *to, const char *name, const char *text)
{
	char *end;
	double value = strtod(text, &end);
	if (end == text)
		return;
	json_object_set_new(to, name,
	    value == rint(value) ? json_integer((json_int_t)value)
				 : json_real(value));
}

void schema_bounds(json_t *to, const char *bounds, const char *least_name,
    const char *most_name)
{
	const char *dots = strstr(bounds, "..");
	if (!dots)
		BUG("bounds '%s'", bounds);
	if (dots != bounds)
		set_bound(to, least_name, bounds);
	set_bound(to, most_name, dots + 2);
}

static json_t *words_json(const char *words)
{
	json_t *list = json_array();
	for (const char *p = words; *p;) {
		size_t len = strcspn(p, "|");
		if (len > 0)
			json_array_append_new(list, json_stringn(p, len));
		p += len + (p[len] == '|');
	}
	return list;
}

static json_t *problem_codes(void)
{
	json_t *list = json_array();
	for (int p = 0; p < PROBLEMS; p++)
		json_array_append_new(
		    list, json_string(problem_code((enum problem)p)));
	return list;
}

static json_t *text_json(const struct schema_field *field)
{
	json_t *json = json_pack("{s:s}", "type", "string");
	switch (field->type & SCHEMA_TYPES) {
	case SCHEMA_URI:
		json_object_set_new(json, "format", json_string("uri"));
		break;
	case SCHEMA_TIME:
		json_object_set_new(json, "format", json_string("date-time"));
		break;
	case SCHEMA_ID:
		json_object_set_new(json, "pattern", json_string(HEX_32));
		break;
	case SCHEMA_HEX:
		json_object_set_new(json, "pattern",
		    field->of ? json_sprintf("^[0-9a-f]{%s}$", field->of)
			      : json_string("^([0-9a-f]{2})*$"));
		break;
	case SCHEMA_WORD:
		json_object_set_new(json, "enum", words_json(field->of));
		break;
	case SCHEMA_PROBLEM:
		json_object_set_new(json, "enum", problem_codes());
		break;
	default: break;
	}
	return json;
}

static json_t *number_json(const struct schema_field *field, const char *type)
{
	json_t *json = json_pack("{s:s}", "type", type);
	if (field->of)
		schema_bounds(json, field->of, "minimum", "maximum");
	return json;
}

static json_t *count_json(void)
{
	return json_pack("{s:s, s:i}", "type", "integer", "minimum", 0);
}

static json_t *map_json(json_t *values)
{
	return json_pack(
	    "{s:s, s:o}", "type", "object", "additionalProperties", values);
}

/* One value: without list, null and help. */
static json_t *value_json(const struct schema_field *field)
{
	switch (field->type & SCHEMA_TYPES) {
	case SCHEMA_INTEGER: return number_json(field, "integer");
	case SCHEMA_NUMBER: return number_json(field, "number");
	case SCHEMA_COUNT: return count_json();
	case SCHEMA_BOOLEAN: return json_pack("{s:s}", "type", "boolean");
	case SCHEMA_OBJECT: return schema_reference(field->of);
	case SCHEMA_MAP: return map_json(schema_reference(field->of));
	case SCHEMA_COUNTS: return map_json(count_json());
	case SCHEMA_ANY: return map_json(json_object());
	default: return text_json(field);
	}
}

static json_t *field_json(const struct schema_field *field)
{
	json_t *json = value_json(field);
	if (field->type & SCHEMA_LIST) {
		json = json_pack("{s:s, s:o}", "type", "array", "items", json);
		if (field->items)
			schema_bounds(
			    json, field->items, "minItems", "maxItems");
	}
	if (field->type & SCHEMA_OR_NULL) {
		json_t *type = json_object_get(json, "type");
		json_object_set_new(
		    json, "type", json_pack("[O, s]", type, "null"));
	}
	if (field->help)
		json_object_set_new(
		    json, "description", json_string(field->help));
	return json;
}

static void add_fields(
    const struct schema *schema, json_t *required, json_t *properties)
{
	if (schema->base)
		add_fields(find_schema(schema->base), required, properties);
	for (const struct schema_field *f = schema->fields; f->name; f++) {
		json_object_set_new(properties, f->name, field_json(f));
		if (!(f->type & SCHEMA_OPTIONAL))
			json_array_append_new(required, json_string(f->name));
	}
}

json_t *schema_json(const struct schema *schema)
{
	json_t *json = json_pack("{s:s}", "type", "object");
	json_t *required = json_array(), *properties = json_object();
	add_fields(schema, required, properties);
	if (schema->help)
		json_object_set_new(
		    json, "description", json_string(schema->help));
	if (json_array_size(required) > 0)
		json_object_set(json, "required", required);
	json_decref(required);
	json_object_set_new(json, "properties", properties);
	if (schema->open)
		json_object_set_new(json, "additionalProperties", json_true());
	return json;
}

static json_t *example_by_type(const struct schema_field *field)
{
	json_t *words;
	switch (field->type & SCHEMA_TYPES) {
	case SCHEMA_TIME: return json_string("2026-11-22T01:59:05.123456Z");
	case SCHEMA_ID: return json_string("0123456789abcdef0123456789abcdef");
	case SCHEMA_INTEGER:
	case SCHEMA_NUMBER: return json_integer(1);
	case SCHEMA_COUNT: return json_integer(0);
	case SCHEMA_BOOLEAN: return json_false();
	case SCHEMA_OBJECT: return schema_example(field->of);
	case SCHEMA_MAP:
		return json_pack("{s:o}", "name", schema_example(field->of));
	case SCHEMA_COUNTS:
	case SCHEMA_ANY: return json_object();
	case SCHEMA_WORD:
		words = words_json(field->of);
		json_t *first = json_incref(json_array_get(words, 0));
		json_decref(words);
		return first;
	default: return json_string("");
	}
}

static void add_examples(const struct schema *schema, json_t *to)
{
	if (schema->base)
		add_examples(find_schema(schema->base), to);
	for (const struct schema_field *f = schema->fields; f->name; f++) {
		json_error_t error;
		json_t *value;
		if ((f->type & SCHEMA_OPTIONAL) && !f->example)
			continue;
		if (f->example && *f->example) {
			value = json_loads(f->example, JSON_DECODE_ANY, &error);
			if (!value)
				BUG("example of %s.%s: %s", schema->name,
				    f->name, error.text);
		} else {
			value = example_by_type(f);
		}
		if ((f->type & SCHEMA_LIST) && !json_is_array(value))
			value = json_pack("[o]", value);
		json_object_set_new(to, f->name, value);
	}
}

json_t *schema_example(const char *name)
{
	json_t *example = json_object();
	add_examples(find_schema(name), example);
	return example;
}
