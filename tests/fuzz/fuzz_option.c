/* SPDX-License-Identifier: ISC */
/* The typed parsers: units, numbers, times, prefixes, near names. */
#include <stdlib.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "lib/option/option.h"
#include "lib/base/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "interval", "rate", "count" };
	char *text = xstrndup((const char *)data, size);
	int64_t integer = 0;
	uint64_t bytes;
	struct walltime when;
	struct prefix prefix;
	struct errmsg msg;
	if (option_parse_duration(&integer, text, &msg) == 0 && integer < 0)
		abort();
	option_parse_size(&bytes, text, &msg);
	option_parse_integer(&integer, text, -5, 5, &msg);
	walltime_parse(&when, text);
	prefix_parse(&prefix, text, &msg);
	option_nearest(text, names, 3);
	free(text);
	return 0;
}
