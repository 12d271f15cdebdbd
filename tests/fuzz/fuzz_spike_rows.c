/* SPDX-License-Identifier: ISC */
/* Rows for `sonde spikes`, line by line through one parser. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "probes/cli/spike-rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct spike_choice none;
	struct spike_rows *rows = spike_rows_new(&none);
	char *text = xstrndup((const char *)data, size), *rest = text, *line;
	while ((line = strsep(&rest, "\n"))) {
		struct spike_row row;
		struct errmsg msg;
		if (spike_rows_parse(rows, line, &row, &msg) == 0 &&
		    (row.source ? strlen(row.source) == 0 : row.count < 0))
			abort();
	}
	free(text);
	spike_rows_free(rows);
	return 0;
}
