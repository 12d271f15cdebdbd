/* SPDX-License-Identifier: ISC */
/*
 * The keeper's life and the orders that it takes.  The one idea: a record is
 * taken (counted in the shared page), appended, synced with its group, and
 * only then counted as stored, acknowledged to who asked, and shown to the
 * shipper.  A keeper that is killed in between leaves the difference in the
 * page, and the next one declares it.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "probes/agent/keeper/keeper-store.h"
#include "probes/agent/keeper/keeper-producers.h"
#include "probes/ipc/keeper-message.h"
#include "probes/ipc/process.h"
#include "probes/ipc/fd-pass.h"

/* --- the supervisor and the shipper ------------------------------------ */

static void take_control(struct keeper *k)
{
	struct producer_grant grant;
	int fd;
	if (pass_receive(k->config.control_fd, &fd, &grant, sizeof(grant)) == 0)
		keeper_add(k, fd, &grant);
}

static void take_ack(struct keeper *k, const struct ship_order *order)
{
	struct errmsg msg;
	struct spool_stats s;
	spool_stats(k->spool, &s);
	if (order->epoch > s.epoch ||
	    (order->epoch == s.epoch && order->next_seq > k->safe_seq)) {
		log_error("shipper acknowledges what is not stored");
		return;
	}
	if (spool_ack(k->spool, order->epoch, order->next_seq, &msg) != 0)
		log_error("spool: %s", msg.text);
	keeper_count_spool(k);
}

static void take_lost(struct keeper *k, const struct ship_order *order)
{
	Sonde__Gap gap = SONDE__GAP__INIT;
	if (order->from_seq == 0 || order->next_seq <= order->from_seq)
		return;
	gap.epoch = order->epoch;
	gap.from_seq = order->from_seq;
	gap.to_seq = order->next_seq - 1;
	gap.reason = (char *)"collector-rollback";
	log_warn("declared lost: %" PRIu64 " to %" PRIu64 " of epoch %" PRIu64,
	    gap.from_seq, gap.to_seq, gap.epoch);
	keeper_append_gap(k, &gap);
}

/* What of the old epoch the collector has not taken can no longer be shipped
 * apart from what it has. */
static void declare_epoch(struct keeper *k, const struct spool_stats *old)
{
	Sonde__Gap gap = SONDE__GAP__INIT;
	if (old->acked_seq < old->next_seq) {
		gap.epoch = old->epoch;
		gap.from_seq = old->acked_seq;
		gap.to_seq = old->next_seq - 1;
		gap.reason = (char *)"forked";
		keeper_append_gap(k, &gap);
	}
	keeper_append_log(k, 0, "keeper",
	    "the collector has other records under our numbers: was this "
	    "agent's state copied or restored?  A new epoch begins.");
}

static int take_new_epoch(
    struct keeper *k, const struct ship_order *order, struct errmsg *msg)
{
	struct spool_stats old;
	spool_stats(k->spool, &old);
	if (order->epoch != old.epoch) {
		keeper_send_mark(k); /* sent twice */
		return 0;
	}
	log_error("forked: the collector has other records of epoch %" PRIu64
		  "; a new epoch begins",
	    order->epoch);
	int err = keeper_sync(k, msg);
	if (err)
		return 0; /* it will ask again */
	/* An acknowledgement that cannot be is how a spool learns of it. */
	err = spool_ack(k->spool, old.epoch, UINT64_MAX, msg);
	if (err != ERR_FORKED)
		return err ? err : err_set(msg, ERR_FORKED, "spool: no fork");
	spool_close(k->spool);
	k->spool = NULL;
	err = spool_open(&k->spool, &k->config.spool, msg);
	if (err)
		return err;
	declare_epoch(k, &old);
	keeper_sync(k, msg);
	return 0;
}

static int take_order(struct keeper *k, struct errmsg *msg)
{
	struct ship_order order;
	ssize_t n =
	    recv(k->config.shipper_fd, &order, sizeof(order), MSG_DONTWAIT);
	if (n != (ssize_t)sizeof(order))
		return 0;
	switch ((enum ship_order_kind)order.kind) {
	case SHIP_HELLO: keeper_send_mark(k); break;
	case SHIP_ACK: take_ack(k, &order); break;
	case SHIP_LOST: take_lost(k, &order); break;
	case SHIP_NEW_EPOCH: return take_new_epoch(k, &order, msg);
	}
	return 0;
}

/* --- life -------------------------------------------------------------- */

static void beat(struct keeper *k)
{
	struct errmsg msg;
	buf_clear(&k->record);
	keeper_count_spool(k);
	int err = heartbeat_pack(&k->record, k->config.sources,
	    k->config.source_count, k->config.host,
	    monotime_diff(monotime_now(), k->config.started), &msg);
	if (err)
		log_error("heartbeat: %s", msg.text);
	else
		keeper_append_own(k, SPOOL_COUNTERS, &k->record);
	k->beat_at = monotime_add(k->beat_at, k->config.heartbeat_ns);
	if (monotime_before(k->beat_at, monotime_now()))
		k->beat_at = monotime_now();
}

/* The page outlives us: what a predecessor had taken and not yet appended
 * when it died was never numbered. */
static void declare_predecessor(struct keeper *k)
{
	uint64_t missing = *k->received - *k->appended;
	if (missing == 0)
		return;
	counters_set(k->appended, *k->received);
	k->unnumbered = missing;
	keeper_declare_unnumbered(k, "keeper-died");
}

int keeper_open(struct keeper **keeper, const struct keeper_config *config,
    struct errmsg *msg)
{
	struct keeper *k = xcalloc(1, sizeof(*k));
	k->config = *config;
	k->received = counters_cell(config->own, "received");
	k->appended = counters_cell(config->own, "appended");
	k->stored = counters_cell(config->own, "stored");
	k->refused = counters_cell(config->own, "refused");
	k->dropped = counters_cell(config->own, "dropped");
	int err = spool_open(&k->spool, &config->spool, msg);
	if (err) {
		free(k);
		return err;
	}
	k->datagram = xmalloc(PRODUCER_DATAGRAM_BYTES);
	k->beat_at = monotime_now();
	for (size_t i = 0; i < config->producer_count; i++)
		keeper_add(
		    k, config->producers[i].fd, &config->producers[i].grant);
	declare_predecessor(k);
	err = keeper_sync(k, msg); /* recovery may have found unsynced frames */
	if (err) {
		keeper_close(k);
		return err;
	}
	*keeper = k;
	return 0;
}

void keeper_close(struct keeper *keeper)
{
	if (!keeper)
		return;
	while (keeper->count)
		keeper_drop_producer(keeper, 0);
	if (keeper->spool)
		spool_close(keeper->spool);
	result_catalog_fini(&keeper->schemas.catalog);
	buf_fini(&keeper->record);
	free(keeper->datagram);
	free(keeper);
}

static struct monotime earliest_time(
    const struct keeper *k, struct monotime until)
{
	if (monotime_before(k->beat_at, until))
		until = k->beat_at;
	if (k->unsynced && monotime_before(k->sync_at, until))
		until = k->sync_at;
	return until;
}

static int work(struct keeper *k, const struct pollfd *fds, size_t count,
    struct errmsg *msg)
{
	/* From the end: a producer that is dropped changes places with the
	 * last one, which has had its turn. */
	for (size_t i = count; i-- > 0;)
		if (fds[i + 2].revents)
			keeper_take_turn(k, i);
	if (fds[0].revents)
		take_control(k);
	return fds[1].revents ? take_order(k, msg) : 0;
}

int keeper_step(struct keeper *keeper, struct monotime until,
    const sigset_t *sigmask, struct errmsg *msg)
{
	struct pollfd fds[KEEPER_MAX_PRODUCERS + 2];
	struct keeper *k = keeper;
	size_t count = k->count;
	fds[0] = (struct pollfd){ k->config.control_fd, POLLIN, 0 };
	fds[1] = (struct pollfd){ k->config.shipper_fd, POLLIN, 0 };
	for (size_t i = 0; i < count; i++)
		fds[i + 2] = (struct pollfd){ k->producers[i].fd, POLLIN, 0 };
	int64_t wait = monotime_diff(earliest_time(k, until), monotime_now());
	wait = wait < 0 ? 0 : wait;
	struct timespec ts = { wait / NS_PER_S, wait % NS_PER_S };
	int ready = ppoll(fds, count + 2, &ts, sigmask);
	if (ready < 0 && errno != EINTR)
		return err_set(msg, -errno, "poll: %s", strerror(errno));
	int err = ready > 0 ? work(k, fds, count, msg) : 0;
	if (err)
		return err;
	struct monotime now = monotime_now();
	if (!monotime_before(now, k->beat_at))
		beat(k);
	if (k->unnumbered && !monotime_before(now, k->retry_at))
		keeper_declare_unnumbered(k, "spool-error");
	if (k->unsynced &&
	    (k->unsynced >= KEEPER_GROUP || !monotime_before(now, k->sync_at)))
		keeper_sync(k, msg);
	return 0;
}

int keeper_drain(struct keeper *keeper, struct errmsg *msg)
{
	for (size_t i = keeper->count; i-- > 0;)
		while (!(keeper->producers[i].grant.flags & PRODUCER_LISTENS) &&
		    keeper_take_datagram(keeper, i))
			;
	return keeper_sync(keeper, msg);
}

/* --- the process --------------------------------------------------------- */

#define IDLE_NS (3600 * NS_PER_S)

static int keep_until_asked(
    struct keeper *keeper, const sigset_t *open_mask, struct errmsg *msg)
{
	int err = 0;
	while (!err && !process_asked_to_end())
		err = keeper_step(keeper, monotime_add(monotime_now(), IDLE_NS),
		    open_mask, msg);
	return err ? err : keeper_drain(keeper, msg);
}

int keeper_main(const struct keeper_config *config, const sigset_t *open_mask,
    struct errmsg *msg)
{
	struct keeper *keeper;
	int err = keeper_open(&keeper, config, msg);
	if (err != 0)
		return err;
	err = keep_until_asked(keeper, open_mask, msg);
	keeper_close(keeper);
	return err;
}
