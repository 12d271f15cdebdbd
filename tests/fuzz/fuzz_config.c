/* SPDX-License-Identifier: ISC */
/* What loads must print as a file that loads the same. */
#include <stdlib.h>
#include <string.h>

#include "lib/option/config-file.h"
#include "lib/base/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct option_row rows[] = {
		{ .name = "text", .type = OPTION_TEXT },
		{ .name = "list", .type = OPTION_LIST },
		{ .name = "number", .type = OPTION_NUMBER },
		{ .name = "time", .type = OPTION_DURATION },
		{ .name = "flag", .type = OPTION_FLAG },
		{ 0 },
	};
	char *text = xstrndup((const char *)data, size), *one, *two;
	struct config *c, *again;
	if (config_parse(&c, rows, text, "fuzz", NULL) == 0) {
		one = config_print(c);
		if (config_parse(&again, rows, one, "again", NULL) != 0)
			abort();
		two = config_print(again);
		if (strcmp(one, two) != 0)
			abort();
		config_free(again);
		config_free(c);
		free(one);
		free(two);
	}
	free(text);
	return 0;
}
