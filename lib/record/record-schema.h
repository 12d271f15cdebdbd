/* SPDX-License-Identifier: ISC */
/* What those who read, check and print records ask of the schema. */
#pragma once

#include <stdbool.h>

#include "lib/record/record.h"

/* What the octets of a bytes field are. */
enum record_octets {
	RECORD_OCTETS_PLAIN,
	RECORD_OCTETS_ADDRESS, /* 4 or 16 bytes, or none */
	RECORD_OCTETS_ID       /* 16 bytes, or none */
};
enum record_octets record_octets_of(const ProtobufCMessageDescriptor *message,
    const ProtobufCFieldDescriptor *field);

/* How many values a field holds: 0 or 1, or the length of a repeated one.  A
 * oneof member that is not the chosen one holds none. */
size_t record_field_count(
    const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
/* The address of value i, of the field's own C type. */
const void *record_field_at(const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field, size_t i);
