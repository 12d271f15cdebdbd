/* SPDX-License-Identifier: ISC */
/* Letting go: whole partitions by the age of their newest arrival and by size,
 * sums by whole bins.  The time by which things are old is the caller's. */

#include "collector/store/sqlite/expire.h"

#include "collector/store/sqlite/roll-over.h"

#define PARTITION_NS (86400 * NS_PER_S)
#define PARTITION_BYTES (UINT64_C(1) << 30)
#define PARTITION_LEAST_BYTES (UINT64_C(1) << 20)
/* So many partitions make up what is kept, at least. */
#define PARTITIONS 8

static void set_roll(struct store *store, const struct store_keep *keep)
{
	store->roll_ns = PARTITION_NS;
	store->roll_bytes = PARTITION_BYTES;
	if (keep->raw_ns && keep->raw_ns / PARTITIONS < store->roll_ns)
		store->roll_ns = keep->raw_ns / PARTITIONS;
	if (keep->raw_bytes && keep->raw_bytes / PARTITIONS < store->roll_bytes)
		store->roll_bytes = keep->raw_bytes / PARTITIONS;
	if (store->roll_bytes < PARTITION_LEAST_BYTES)
		store->roll_bytes = PARTITION_LEAST_BYTES;
}

static bool is_too_much(struct store *store, const struct store_keep *keep)
{
	const struct partition_set *set = &store->partitions;
	uint64_t bytes = 0;
	if (keep->raw_bytes == 0)
		return false;
	for (size_t i = 0; i + 1 < set->count; i++)
		bytes += set->list[i]->bytes;
	bytes += store_newest_bytes(store);
	return bytes > keep->raw_bytes;
}

/* Where nothing has come for so long that all of the newest one is old, it is
 * closed, so that it can go. */
static int close_old(
    struct store *store, const struct store_keep *keep, struct errmsg *msg)
{
	const struct partition_set *set = &store->partitions;
	bool used = store->next_block > set->list[set->count - 1]->first_block;
	return used && keep->raw_ns &&
		store->newest_received_ns < keep->now.ns - keep->raw_ns
	    ? store_roll(store, msg)
	    : ERR_OK;
}

/*
 * When the last record of the oldest partition came, at the latest; INT64_MAX:
 * not known.  Arrivals are ordered though their clocks are not: a time that is
 * still to come was a wrong clock's, and then the next ones say when it was at
 * the latest; a time before that of the partition before was one too.
 */
static int64_t oldest_arrival(const struct store *store, int64_t now_ns)
{
	const struct partition_set *set = &store->partitions;
	int64_t at_ns = INT64_MAX;
	for (size_t i = 0; i < set->count && at_ns > now_ns; i++)
		at_ns = i + 1 < set->count ? set->list[i]->last_received_ns
					   : store->newest_received_ns;
	if (at_ns > now_ns)
		return INT64_MAX;
	int64_t opened_ns = set->list[0]->opened_ns;
	return opened_ns > at_ns && opened_ns <= now_ns ? opened_ns : at_ns;
}

/* 0: its sums are not on the disk, and must be before it goes; 1: they are. */
static int flush_sums(
    struct store *store, const struct partition *p, struct errmsg *msg)
{
	uint64_t applied;
	int err = gather_applied(store->gather, true, &applied, msg);
	if (err < 0)
		return err;
	if (applied >= p->last_block)
		return 1;
	err = gather_flush(store->gather, msg);
	if (err < 0)
		return err;
	err = gather_applied(store->gather, true, &applied, msg);
	return err < 0 ? err : applied >= p->last_block;
}

/* 1: the oldest partition may go. */
static int oldest_may_go(
    struct store *store, const struct store_keep *keep, struct errmsg *msg)
{
	const struct partition_set *set = &store->partitions;
	if (set->count < 2)
		return 0;
	bool old = keep->raw_ns &&
	    oldest_arrival(store, keep->now.ns) < keep->now.ns - keep->raw_ns;
	if (!old && !is_too_much(store, keep))
		return 0;
	return flush_sums(store, set->list[0], msg);
}

static int drop_oldest(
    struct store *store, struct store_expired *expired, struct errmsg *msg)
{
	expired->records = store->partitions.list[0]->records;
	expired->more = true;
	int err = partition_drop_oldest(&store->partitions, msg);
	return err < 0 ? err : store_bound_size(store, msg);
}

static int expire_partitions(struct store *store, const struct store_keep *keep,
    struct store_expired *expired, struct errmsg *msg)
{
	store->mono = keep->mono;
	set_roll(store, keep);
	int err = close_old(store, keep, msg);
	if (err < 0)
		return err;
	err = oldest_may_go(store, keep, msg);
	return err == 1 ? drop_oldest(store, expired, msg) : err;
}

int store_expire(struct store *store, const struct store_keep *keep,
    struct store_expired *expired, struct errmsg *msg)
{
	*expired = (struct store_expired){ 0 };
	pthread_mutex_lock(&store->lock);
	int err = expire_partitions(store, keep, expired, msg);
	pthread_mutex_unlock(&store->lock);
	if (err < 0)
		return err;
	bool more = false;
	err = gather_expire(store->gather, keep, &more, msg);
	expired->more |= more;
	return err;
}
