/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/record/kinds.h"

#define KIND(name, capitals, class, producers) \
	{ SONDE__RECORD__BODY_##capitals, #name, class, producers },
const struct record_kind record_kinds[] = { RECORD_KINDS(KIND){
    SONDE__RECORD__BODY__NOT_SET, NULL, SPOOL_COUNTERS, 0 } };
#undef KIND

const struct record_kind *record_kind_of(Sonde__Record__BodyCase body)
{
	for (const struct record_kind *kind = record_kinds; kind->name; kind++)
		if (kind->body == body)
			return kind;
	return NULL;
}

const struct record_kind *record_kind_find(const char *name, size_t name_len)
{
	for (const struct record_kind *kind = record_kinds; kind->name; kind++)
		if (strlen(kind->name) == name_len &&
		    memcmp(kind->name, name, name_len) == 0)
			return kind;
	return NULL;
}

const char *record_kind_name(Sonde__Record__BodyCase body)
{
	const struct record_kind *kind = record_kind_of(body);
	return kind ? kind->name : NULL;
}
