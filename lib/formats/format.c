/* SPDX-License-Identifier: ISC */
/* The formats, in the order that help shows them. */
#include <string.h>

#include "lib/formats/format.h"

const struct writer_ops *const writers[] = {
	&writer_text,
	&writer_json,
	&writer_csv,
	&writer_scamper,
	&writer_atlas,
	&writer_warts,
	NULL,
};

const struct writer_ops *writer_find(const char *name)
{
	for (size_t i = 0; writers[i]; i++)
		if (strcmp(writers[i]->name, name) == 0)
			return writers[i];
	return NULL;
}
