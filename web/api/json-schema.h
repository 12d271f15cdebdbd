/* SPDX-License-Identifier: ISC */
/*
 * Shapes of JSON bodies as tables.  The API document is made of them; clients
 * must bear members that are not named here.
 */
#pragma once

#include <stdbool.h>
#include <jansson.h>

/* What a member is; the flags are added. */
enum schema_type {
	SCHEMA_TEXT = 1,
	SCHEMA_URI,
	SCHEMA_TIME,    /* RFC 3339 */
	SCHEMA_ID,      /* 32 hex digits */
	SCHEMA_HEX,     /* `of` hex digits, NULL: any even number */
	SCHEMA_WORD,    /* one of `of`, separated by '|' */
	SCHEMA_PROBLEM, /* a problem's code */
	SCHEMA_INTEGER, /* `of` is "least..most"; either may be absent */
	SCHEMA_COUNT,   /* an integer, at least 0 */
	SCHEMA_NUMBER,  /* `of` as for integers */
	SCHEMA_BOOLEAN,
	SCHEMA_OBJECT, /* of schema `of` */
	SCHEMA_MAP,    /* any names, each an object of schema `of` */
	SCHEMA_COUNTS, /* any names, each a count */
	SCHEMA_ANY,    /* any names and values */
	SCHEMA_TYPES = 0xff,
	SCHEMA_LIST = 0x100,
	SCHEMA_OR_NULL = 0x200,
	SCHEMA_OPTIONAL = 0x400,
};

struct schema_field {
	const char *name;
	unsigned type;
	const char *help;    /* may be NULL */
	const char *of;      /* as the type says */
	const char *items;   /* SCHEMA_LIST: "least..most"; NULL: any number */
	const char *example; /* JSON; NULL: made from the type, or (optional)
			      * left out.  "": always made from the type */
};

#define FIELD(its_name, its_type, ...)                          \
	{                                                       \
		.name = its_name, .type = its_type, __VA_ARGS__ \
	}

struct schema {
	const char *name;
	const struct schema_field *fields; /* end with a NULL name */
	const char *help;                  /* may be NULL */
	const char *base; /* a schema whose fields come first; may be NULL */
	bool open;        /* members without a name here are usual */
};

extern const struct schema api_schemas[];    /* end with a NULL name */
extern const struct schema record_schemas[]; /* what records hold */

/* As JSON Schema.  A new reference. */
json_t *schema_json(const struct schema *schema);
/* A value of this shape, from the fields' examples.  A new reference. */
json_t *schema_example(const char *name);
/* {"$ref": ...} */
json_t *schema_reference(const char *name);
/* "0..", "1..256" as members of to. */
void schema_bounds(json_t *to, const char *bounds, const char *least_name,
    const char *most_name);
