/* SPDX-License-Identifier: ISC */
/*
 * The keeper's state and what it does with each message.  The one idea: a
 * record is taken (counted in the shared page), appended, synced with its
 * group, and only then counted as stored, acknowledged to who asked, and
 * shown to the shipper.  A keeper that is killed in between leaves the
 * difference in the page, and the next one declares it.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/reader.h"
#include "lib/xalloc.h"
#include "probes/agent/keeper.h"
#include "probes/agent/message.h"
#include "probes/agent/pass.h"

#define RETRY_NS NS_PER_S   /* after a sync that failed */
#define DATAGRAMS_A_TURN 64 /* of one producer, before the next one's */
#define LINE_LEN 512
#define LINES_A_PRODUCER 1000 /* of talk; the rest is not kept */

struct producer {
	int fd;
	struct producer_grant grant;
	uint64_t appended, told; /* records of its; told: what it knows safe */
	uint64_t lines;
};

struct keeper {
	struct keeper_config config;
	struct spool *spool;
	struct producer producers[KEEPER_MAX_PRODUCERS];
	size_t count;
	uint8_t *datagram;
	struct buf record;       /* what we make ourselves */
	struct monotime sync_at; /* when dirty */
	struct monotime beat_at;
	uint64_t unsynced;        /* records appended since the last sync */
	uint64_t safe_seq;        /* all below are synced */
	uint64_t unnumbered;      /* taken, and could not be appended */
	struct monotime retry_at; /* when to try to declare them */
	uint64_t *received, *appended, *stored, *refused, *dropped;
};

/* --- spool ------------------------------------------------------------- */

static void count_spool(struct keeper *k)
{
	struct counters *page = k->config.spool_page;
	struct spool_stats s;
	spool_stats(k->spool, &s);
	counters_set(counters_cell(page, "epoch"), s.epoch);
	counters_set(counters_cell(page, "next_seq"), k->safe_seq);
	counters_set(counters_cell(page, "acked_seq"), s.acked_seq);
	counters_set(counters_cell(page, "bytes"), s.bytes);
	counters_set(
	    counters_cell(page, "max_bytes"), k->config.spool.max_bytes);
	counters_set(counters_cell(page, "dropped"), s.dropped);
	counters_set(counters_cell(page, "lost"), s.lost);
	counters_set(counters_cell(page, "torn"), s.recovered_torn);
	counters_set(counters_cell(page, "quarantined"), s.quarantined);
}

static void send_mark(struct keeper *k)
{
	struct spool_stats s;
	spool_stats(k->spool, &s);
	struct ship_mark mark = { s.epoch, k->safe_seq };
	send(k->config.shipper_fd, &mark, sizeof(mark),
	    MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* A record that `received` counts already. */
static void append(
    struct keeper *k, enum spool_class class, const uint8_t *record, size_t len)
{
	struct errmsg msg;
	uint64_t seq;
	int err = spool_append(k->spool, class, record, len, &seq, &msg);
	if (err) {
		if (k->unnumbered++ == 0)
			log_error("spool: %s", msg.text);
		k->retry_at = monotime_add(monotime_now(), RETRY_NS);
		counters_add(k->dropped, 1);
		counters_add(k->appended, 1); /* no longer in our hands */
		return;
	}
	counters_add(k->appended, 1);
	if (k->unsynced++ == 0)
		k->sync_at = monotime_add(monotime_now(), KEEPER_WINDOW_NS);
}

static void append_own(
    struct keeper *k, enum spool_class class, const struct buf *record)
{
	counters_add(k->received, 1);
	append(k, class, record->data, record->len);
}

static void append_body(struct keeper *k, Sonde__Record *record)
{
	struct errmsg msg;
	enum spool_class class = record->body_case == SONDE__RECORD__BODY_LOSS
	    ? SPOOL_ALERTS
	    : SPOOL_COUNTERS;
	record_stamp(record);
	buf_clear(&k->record);
	if (record_pack(record, &k->record, &msg) != 0)
		BUG("keeper: %s", msg.text);
	append_own(k, class, &k->record);
}

static void append_loss(struct keeper *k, const Sonde__Loss *loss)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	record.body_case = SONDE__RECORD__BODY_LOSS;
	record.loss = (Sonde__Loss *)loss;
	append_body(k, &record);
}

/* about: the run that it is of, or NULL. */
static void append_talk(struct keeper *k, uint32_t level, const char *process,
    const char *text, const struct producer_grant *about)
{
	Sonde__Log log = SONDE__LOG__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	log.level = level;
	log.process = (char *)process;
	log.text = (char *)text;
	record.body_case = SONDE__RECORD__BODY_LOG;
	record.log = &log;
	if (about && about->flags & PRODUCER_BOUND) {
		record.campaign.data = (uint8_t *)about->campaign;
		record.campaign.len = sizeof(about->campaign);
		record.run = about->run;
	}
	append_body(k, &record);
}

static void append_log(
    struct keeper *k, uint32_t level, const char *process, const char *text)
{
	append_talk(k, level, process, text, NULL);
}

/* What could not be appended is declared once the spool takes records. */
static void declare_unnumbered(struct keeper *k, const char *reason)
{
	Sonde__Loss loss = SONDE__LOSS__INIT;
	struct spool_stats s;
	spool_stats(k->spool, &s);
	loss.epoch = s.epoch;
	loss.reason = (char *)reason;
	loss.unnumbered = k->unnumbered;
	k->unnumbered = 0;
	append_loss(k, &loss);
}

static void tell_producers(struct keeper *k)
{
	for (size_t i = 0; i < k->count; i++) {
		struct producer *p = &k->producers[i];
		if (!(p->grant.flags & PRODUCER_ACKS) || p->told == p->appended)
			continue;
		struct buf count = { 0 };
		buf_be64(&count, p->appended);
		if (send(p->fd, count.data, count.len,
			MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			p->told = p->appended;
		buf_fini(&count);
	}
}

static int sync_group(struct keeper *k, struct errmsg *msg)
{
	struct spool_stats s;
	int err = spool_sync(k->spool, msg);
	if (err) {
		log_error("spool: %s", msg->text);
		k->sync_at = monotime_add(monotime_now(), RETRY_NS);
		return err;
	}
	spool_stats(k->spool, &s);
	k->safe_seq = s.next_seq;
	counters_add(k->stored, k->unsynced);
	k->unsynced = 0;
	count_spool(k);
	tell_producers(k);
	send_mark(k);
	return 0;
}

/* --- producers --------------------------------------------------------- */

static void drop_producer(struct keeper *k, size_t i)
{
	close(k->producers[i].fd);
	k->producers[i] = k->producers[--k->count];
}

void keeper_add(
    struct keeper *keeper, int fd, const struct producer_grant *grant)
{
	if (keeper->count == KEEPER_MAX_PRODUCERS) {
		log_error("too many producers: %.31s is cut off", grant->name);
		close(fd);
		return;
	}
	struct producer *p = &keeper->producers[keeper->count++];
	memset(p, 0, sizeof(*p));
	p->fd = fd;
	p->grant = *grant;
	p->grant.name[PRODUCER_NAME_LEN - 1] = '\0';
}

static void refuse(struct keeper *k, size_t i, const struct errmsg *why)
{
	char text[LINE_LEN];
	const char *name = k->producers[i].grant.name;
	snprintf(text, sizeof(text), "%s is cut off: %s", name, why->text);
	log_warn("%s", text);
	counters_add(k->refused, 1);
	append_log(k, 1, "keeper", text);
	drop_producer(k, i);
}

/* A line of a script's talk; anything but printable ASCII becomes '?'. */
static void take_line(
    struct keeper *k, struct producer *p, const uint8_t *line, size_t len)
{
	char text[LINE_LEN];
	size_t n = 0;
	if (len == 0 || p->lines++ >= LINES_A_PRODUCER)
		return;
	for (; n < len && n < sizeof(text) - 1; n++)
		text[n] =
		    (char)(line[n] >= 0x20 && line[n] < 0x7f ? line[n] : '?');
	text[n] = '\0';
	append_talk(k, 2, p->grant.name, text, &p->grant);
}

static void take_lines(struct keeper *k, struct producer *p, size_t len)
{
	const uint8_t *pos = k->datagram, *end = pos + len;
	while (pos < end) {
		const uint8_t *eol = memchr(pos, '\n', (size_t)(end - pos));
		eol = eol ? eol : end;
		take_line(k, p, pos, (size_t)(eol - pos));
		pos = eol + 1;
	}
}

static uint64_t count_frames(const struct keeper *k, size_t len)
{
	struct reader r = reader_init(k->datagram, len);
	const uint8_t *record;
	uint64_t count = 0;
	size_t record_len;
	while (producer_next_frame(&r, &record, &record_len) == 0)
		count++;
	return count;
}

static int take_each_frame(struct keeper *k, struct producer *p, size_t len,
    uint64_t *taken, struct errmsg *msg)
{
	struct reader r = reader_init(k->datagram, len);
	const uint8_t *record;
	enum spool_class class;
	size_t record_len;
	int err;
	while ((err = producer_next_frame(&r, &record, &record_len)) == 0) {
		err =
		    producer_check(&p->grant, record, record_len, &class, msg);
		if (err)
			return err;
		append(k, class, record, record_len);
		p->appended++;
		++*taken;
	}
	return err == ERR_EOF
	    ? 0
	    : err_set(msg, err, "a frame is %s", err_str(err));
}

/* All of a datagram are counted before the first is appended: if we die in
 * between, who comes after us knows how many there were. */
static int take_frames(
    struct keeper *k, struct producer *p, size_t len, struct errmsg *msg)
{
	uint64_t count = count_frames(k, len), taken = 0;
	counters_add(k->received, count);
	int err = take_each_frame(k, p, len, &taken, msg);
	counters_add(k->appended, count - taken); /* refused, and told of */
	return err;
}

static void accept_producer(struct keeper *k, const struct producer *listener)
{
	struct producer_grant grant = listener->grant;
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	grant.flags &= ~PRODUCER_LISTENS;
	keeper_add(k, fd, &grant);
}

/* One datagram; false when there is none, or no producer any more. */
static bool take_datagram(struct keeper *k, size_t i)
{
	struct producer *p = &k->producers[i];
	struct errmsg msg = { "" };
	ssize_t n = recv(p->fd, k->datagram, PRODUCER_DATAGRAM_BYTES,
	    MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		drop_producer(k, i);
		return false;
	}
	int err = 0;
	if (n > PRODUCER_DATAGRAM_BYTES)
		err = err_set(&msg, ERR_LIMIT, "a frame of %zd bytes", n);
	else if (p->grant.flags & PRODUCER_LINES)
		take_lines(k, p, (size_t)n);
	else
		err = take_frames(k, p, (size_t)n, &msg);
	if (err)
		refuse(k, i, &msg);
	return err == 0;
}

static void take_turn(struct keeper *k, size_t i)
{
	if (k->producers[i].grant.flags & PRODUCER_LISTENS) {
		accept_producer(k, &k->producers[i]);
		return;
	}
	for (int n = 0; n < DATAGRAMS_A_TURN; n++)
		if (!take_datagram(k, i))
			return;
}

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
	count_spool(k);
}

static void take_lost(struct keeper *k, const struct ship_order *order)
{
	Sonde__Loss loss = SONDE__LOSS__INIT;
	if (order->from_seq == 0 || order->next_seq <= order->from_seq)
		return;
	loss.epoch = order->epoch;
	loss.from_seq = order->from_seq;
	loss.to_seq = order->next_seq - 1;
	loss.reason = (char *)"collector-rollback";
	log_warn("declared lost: %" PRIu64 " to %" PRIu64 " of epoch %" PRIu64,
	    loss.from_seq, loss.to_seq, loss.epoch);
	append_loss(k, &loss);
}

/* What of the old epoch the collector has not taken can no longer be told
 * apart from what it has. */
static void declare_epoch(struct keeper *k, const struct spool_stats *old)
{
	Sonde__Loss loss = SONDE__LOSS__INIT;
	if (old->acked_seq < old->next_seq) {
		loss.epoch = old->epoch;
		loss.from_seq = old->acked_seq;
		loss.to_seq = old->next_seq - 1;
		loss.reason = (char *)"forked";
		append_loss(k, &loss);
	}
	append_log(k, 0, "keeper",
	    "the collector has other records under our numbers: was this "
	    "agent's state copied or restored?  A new epoch begins.");
}

static int take_new_epoch(
    struct keeper *k, const struct ship_order *order, struct errmsg *msg)
{
	struct spool_stats old;
	spool_stats(k->spool, &old);
	if (order->epoch != old.epoch) {
		send_mark(k); /* told twice */
		return 0;
	}
	log_error("forked: the collector has other records of epoch %" PRIu64
		  "; a new epoch begins",
	    order->epoch);
	int err = sync_group(k, msg);
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
	sync_group(k, msg);
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
	case SHIP_HELLO: send_mark(k); break;
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
	count_spool(k);
	int err = heartbeat_pack(&k->record, k->config.sources,
	    k->config.source_count, k->config.host,
	    monotime_diff(monotime_now(), k->config.started), &msg);
	if (err)
		log_error("heartbeat: %s", msg.text);
	else
		append_own(k, SPOOL_COUNTERS, &k->record);
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
	declare_unnumbered(k, "keeper-died");
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
	err = sync_group(k, msg); /* recovery may have found unsynced frames */
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
		drop_producer(keeper, 0);
	if (keeper->spool)
		spool_close(keeper->spool);
	buf_fini(&keeper->record);
	free(keeper->datagram);
	free(keeper);
}

static struct monotime earliest(const struct keeper *k, struct monotime until)
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
			take_turn(k, i);
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
	int64_t wait = monotime_diff(earliest(k, until), monotime_now());
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
		declare_unnumbered(k, "spool-error");
	if (k->unsynced &&
	    (k->unsynced >= KEEPER_GROUP || !monotime_before(now, k->sync_at)))
		sync_group(k, msg);
	return 0;
}

int keeper_drain(struct keeper *keeper, struct errmsg *msg)
{
	for (size_t i = keeper->count; i-- > 0;)
		while (!(keeper->producers[i].grant.flags & PRODUCER_LISTENS) &&
		    take_datagram(keeper, i))
			;
	return sync_group(keeper, msg);
}
