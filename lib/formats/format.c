/* SPDX-License-Identifier: ISC */
/* The formats by name. */
#include <string.h>

#include "lib/formats/format.h"

#define FORMAT_ADDRESS(name) &format_##name,
#define FORMAT_NAME(name) #name,

const struct format_ops *const formats[] = { FORMATS(FORMAT_ADDRESS) NULL };
const char *const format_names[] = { FORMATS(FORMAT_NAME) NULL };

const struct format_ops *format_find(const char *name)
{
	for (size_t i = 0; formats[i]; i++)
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	return NULL;
}
