/* SPDX-License-Identifier: ISC */
/* The collector's URL: what is taken has a host and a port. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/https/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct url url;
	if (url_split(&url, text) == 0 &&
	    (!url.host[0] || !url.port || strlen(text) >= URL_MAX_LEN))
		abort();
	url_check(text, NULL);
	free(text);
	return 0;
}
