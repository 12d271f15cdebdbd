/* SPDX-License-Identifier: ISC */
/* What a script's process says about the script. */
#include "lib/base/xalloc.h"
#include "probes/script/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script *script = xcalloc(1, sizeof(*script));
	script->name = xstrdup("fuzz");
	header_read(script, data, size, NULL);
	script_free(script);
	return 0;
}
