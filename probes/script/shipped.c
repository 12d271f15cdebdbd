/* SPDX-License-Identifier: ISC */
/* The table is given by main, not linked here: the tool that makes it reads
 * headers with the code beside this. */
#include <sodium.h>
#include <string.h>

#include "probes/script/shipped.h"

static const struct shipped_header *known;
static size_t known_count;
static const struct shipped_code *known_codes;

void shipped_use(const struct shipped_header *headers, size_t count,
    const struct shipped_code *codes)
{
	known = headers;
	known_count = count;
	known_codes = codes;
}

const struct shipped_library *shipped_library_find(const char *name)
{
	for (size_t i = 0; i < shipped_library_count; i++)
		if (strcmp(shipped_libraries[i].name, name) == 0)
			return &shipped_libraries[i];
	return NULL;
}

struct shipped_code shipped_library_code(const struct shipped_library *library)
{
	return known_codes ? known_codes[library - shipped_libraries]
			   : (struct shipped_code){ 0 };
}

void shipped_digest(
    uint8_t digest[SHIPPED_DIGEST_BYTES], const void *source, size_t len)
{
	crypto_generichash(digest, SHIPPED_DIGEST_BYTES, source, len, NULL, 0);
}

const struct shipped_header *shipped_find(const void *source, size_t len)
{
	uint8_t digest[SHIPPED_DIGEST_BYTES];
	if (known_count == 0)
		return NULL;
	shipped_digest(digest, source, len);
	for (size_t i = 0; i < known_count; i++)
		if (memcmp(known[i].digest, digest, sizeof(digest)) == 0)
			return &known[i];
	return NULL;
}
