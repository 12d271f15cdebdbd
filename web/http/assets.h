/* SPDX-License-Identifier: ISC */
/* Files in the program; web/embed.sh writes the table while building. */
#pragma once

#include <stddef.h>

struct asset {
	const char *name; /* "index.html"; NULL ends the table */
	const unsigned char *data;
	size_t len;
	const unsigned char *packed; /* gzip; NULL: not worth it */
	size_t packed_len;
	const char *etag, *packed_etag; /* quoted hash of the content */
};
