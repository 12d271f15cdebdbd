/* SPDX-License-Identifier: ISC */
/* Octets as two lower-case hexadecimal digits each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* For a buffer on the stack. */
#define HEX_TEXT_LEN(octets) (2 * (octets) + 1)

/* Into to, of HEX_TEXT_LEN(len); returns to. */
char *hex_text(const void *bytes, size_t len, char *to);
void hex_print(FILE *to, const void *bytes, size_t len);

/* Exactly len octets: 2 * len digits of either case and nothing else.  False
 * for anything else, also for NULL; to is then not to be used. */
bool hex_parse(void *to, size_t len, const char *text);
/* The same for lower-case digits only, so that a value has one text. */
bool hex_parse_strict(void *to, size_t len, const char *text);
