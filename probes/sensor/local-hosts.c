/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "probes/sensor/local-hosts.h"

struct local_hosts {
	struct prefix *prefixes;
	size_t count;
};

struct local_hosts *local_hosts_new(const struct prefix *prefixes, size_t count)
{
	struct local_hosts *h = xcalloc(1, sizeof(*h));
	h->count = count;
	h->prefixes = xcalloc(count ? count : 1, sizeof(*prefixes));
	if (count)
		memcpy(h->prefixes, prefixes, count * sizeof(*prefixes));
	return h;
}

void local_hosts_free(struct local_hosts *h)
{
	if (!h)
		return;
	free(h->prefixes);
	free(h);
}

bool local_hosts_has(const struct local_hosts *h, const struct addr *a)
{
	for (size_t i = 0; i < h->count; i++)
		if (prefix_has(&h->prefixes[i], a))
			return true;
	return false;
}
