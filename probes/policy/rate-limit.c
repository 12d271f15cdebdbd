/* SPDX-License-Identifier: ISC */
/*
 * Token buckets and the table of those that belong to destinations.  A hash
 * with a secret key gives each prefix a row of few places, so no script can
 * choose prefixes that fall together.
 *
 * A bucket is one time, when it is full again (GCRA as virtual scheduling,
 * ITU-T I.371).  With one token each 1 / rate, rounded up:
 *
 *   a probe may leave  when  full - (burst - 1) / rate <= now
 *   and then           full = max(full, now) + 1 / rate
 */
#include "probes/policy/rate-limit.h"

static int64_t interval_ns(const struct limit *limit)
{
	return (NS_PER_S + limit->rate_pps - 1) / limit->rate_pps;
}

int64_t limit_ready(const struct limit *limit, bool waited, int64_t now)
{
	if (limit->rate_pps == 0 || limit->burst == 0)
		return INT64_MAX;
	const struct bucket *b = limit->bucket;
	int64_t interval = interval_ns(limit);
	int64_t ready = b->full_ns - (limit->burst - 1) * interval;
	if (ready <= now && (waited || b->waiting == 0))
		return now;
	return (ready > now ? ready : now) + b->waiting * interval;
}

void limit_take(const struct limit *limit, int64_t now)
{
	struct bucket *b = limit->bucket;
	if (b->full_ns < now)
		b->full_ns = now;
	b->full_ns += interval_ns(limit);
}

/* When may it be forgotten?  A full bucket is like a new one. */
static int64_t free_at(const struct bucket *b, int64_t now)
{
	int64_t soon = b->waiting > 0 ? now + NS_PER_MS : now;
	return b->full_ns > soon ? b->full_ns : soon;
}

struct bucket *limit_table_find(struct limit_table *table, enum policy_who who,
    const struct addr *dst, int64_t now, int64_t *retry)
{
	struct prefix prefix = prefix_of(dst, dst->family == 4 ? 24 : 48);
	uint64_t hash = addr_hash(&prefix.addr, table->key + who);
	struct limit_entry *row = table->rows[hash % LIMIT_ROWS], *spare = row;
	int64_t earliest = INT64_MAX;
	for (size_t i = 0; i < LIMIT_PLACES; i++) {
		struct limit_entry *e = &row[i];
		if (e->who == who && addr_equal(&e->prefix.addr, &prefix.addr))
			return &e->bucket;
		int64_t at = free_at(&e->bucket, now);
		if (at < earliest) {
			earliest = at;
			spare = e;
		}
	}
	if (earliest > now) {
		*retry = earliest;
		return NULL;
	}
	*spare = (struct limit_entry){ .prefix = prefix, .who = who };
	return &spare->bucket;
}
