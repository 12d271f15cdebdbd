/* SPDX-License-Identifier: ISC */
#include "probes/net/live/live-links.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"

#define LINKS_MAX 65536

/* Where the device of this index is, or would be. */
static size_t place_of(const struct live_links *links, uint32_t index)
{
	size_t low = 0, high = links->count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (links->list[mid].index < index)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct netlink_link *live_links_find(
    const struct live_links *links, uint32_t index)
{
	size_t at = place_of(links, index);
	return at < links->count && links->list[at].index == index
	    ? &links->list[at]
	    : NULL;
}

const struct netlink_link *live_links_named(
    const struct live_links *links, const char *name)
{
	for (size_t i = 0; i < links->count; i++)
		if (strcmp(links->list[i].name, name) == 0)
			return &links->list[i];
	return NULL;
}

const struct netlink_link *live_links_zone(
    const struct live_links *links, const char *zone)
{
	char *end;
	const struct netlink_link *link = live_links_named(links, zone);
	if (link || zone[0] < '1' || zone[0] > '9')
		return link;
	unsigned long number = strtoul(zone, &end, 10);
	return *end == '\0' && number <= UINT32_MAX
	    ? live_links_find(links, (uint32_t)number)
	    : NULL;
}

void live_links_keep(struct live_links *links, const struct netlink_link *link)
{
	size_t at = place_of(links, link->index);
	bool there = live_links_find(links, link->index) != NULL;
	size_t behind = links->count - at;
	if (there && link->gone) {
		memmove(&links->list[at], &links->list[at + 1],
		    (behind - 1) * sizeof(*link));
		links->count--;
		return;
	}
	if (!there && (link->gone || links->count == LINKS_MAX))
		return;
	if (!there) {
		VEC_ROOM(links->list, links->count);
		memmove(&links->list[at + 1], &links->list[at],
		    behind * sizeof(*link));
		links->count++;
	}
	links->list[at] = *link;
}

bool live_links_equal(const struct live_links *a, const struct live_links *b)
{
	bool equal = a->count == b->count;
	for (size_t i = 0; i < a->count && equal; i++) {
		const struct netlink_link *x = &a->list[i], *y = &b->list[i];
		equal = x->index == y->index && x->mtu == y->mtu &&
		    strcmp(x->name, y->name) == 0 && x->is_up == y->is_up &&
		    x->has_carrier == y->has_carrier &&
		    x->unqueued == y->unqueued && x->shaped == y->shaped;
	}
	return equal;
}

void live_links_clear(struct live_links *links)
{
	free(links->list);
	*links = (struct live_links){ 0 };
}
