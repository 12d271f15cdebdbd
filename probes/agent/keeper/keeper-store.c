/* SPDX-License-Identifier: ISC */
/*
 * The keeper's way into the spool: records, log lines and gaps, synced
 * in groups.  Only what is synced is counted as stored, acknowledged to who
 * asked, and shown to the shipper.
 */
#include <sys/socket.h>

#include "lib/base/log.h"
#include "probes/agent/keeper/keeper-store.h"
#include "probes/ipc/keeper-message.h"

#define RETRY_NS NS_PER_S /* after a sync that failed */

void keeper_count_spool(struct keeper *k)
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

void keeper_send_mark(struct keeper *k)
{
	struct spool_stats s;
	spool_stats(k->spool, &s);
	struct ship_mark mark = { s.epoch, k->safe_seq };
	send(k->config.shipper_fd, &mark, sizeof(mark),
	    MSG_DONTWAIT | MSG_NOSIGNAL);
}

void keeper_drop_record(struct keeper *k)
{
	k->unnumbered++;
	k->retry_at = monotime_add(monotime_now(), RETRY_NS);
	counters_add(k->dropped, 1);
	counters_add(k->appended, 1); /* no longer in our hands */
}

/* A record that `received` counts already. */
void keeper_append(
    struct keeper *k, enum spool_class class, const uint8_t *record, size_t len)
{
	struct errmsg msg;
	uint64_t seq;
	int err = spool_append(k->spool, class, record, len, &seq, &msg);
	if (err) {
		if (k->unnumbered == 0)
			log_error("spool: %s", msg.text);
		keeper_drop_record(k);
		return;
	}
	counters_add(k->appended, 1);
	if (k->unsynced++ == 0)
		k->sync_at = monotime_add(monotime_now(), KEEPER_WINDOW_NS);
}

void keeper_append_own(
    struct keeper *k, enum spool_class class, const struct buf *record)
{
	counters_add(k->received, 1);
	keeper_append(k, class, record->data, record->len);
}

static void append_body(struct keeper *k, Sonde__Record *record)
{
	struct errmsg msg;
	enum spool_class class = record_kind_of(record->body_case)->class;
	record_stamp(record);
	buf_clear(&k->record);
	if (record_pack(record, &k->record, &msg) != 0)
		BUG("keeper: %s", msg.text);
	keeper_append_own(k, class, &k->record);
}

void keeper_append_gap(struct keeper *k, const Sonde__Gap *gap)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	record.body_case = SONDE__RECORD__BODY_GAP;
	record.gap = (Sonde__Gap *)gap;
	append_body(k, &record);
}

/* about: the run that it is of, or NULL. */
void keeper_append_run_log(struct keeper *k, uint32_t level,
    const char *process, const char *text, const struct producer_grant *about)
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

void keeper_append_log(
    struct keeper *k, uint32_t level, const char *process, const char *text)
{
	keeper_append_run_log(k, level, process, text, NULL);
}

/* What could not be appended is declared once the spool takes records. */
void keeper_declare_unnumbered(struct keeper *k, const char *reason)
{
	Sonde__Gap gap = SONDE__GAP__INIT;
	struct spool_stats s;
	spool_stats(k->spool, &s);
	gap.epoch = s.epoch;
	gap.reason = (char *)reason;
	gap.unnumbered = k->unnumbered;
	k->unnumbered = 0;
	keeper_append_gap(k, &gap);
}

static void acknowledge_producers(struct keeper *k)
{
	for (size_t i = 0; i < k->count; i++) {
		struct producer *p = &k->producers[i];
		if (!(p->grant.flags & PRODUCER_ACKS) ||
		    p->acknowledged == p->appended)
			continue;
		struct buf count = { 0 };
		buf_be64(&count, p->appended);
		if (send(p->fd, count.data, count.len,
			MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			p->acknowledged = p->appended;
		buf_fini(&count);
	}
}

int keeper_sync(struct keeper *k, struct errmsg *msg)
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
	keeper_count_spool(k);
	acknowledge_producers(k);
	keeper_send_mark(k);
	return 0;
}
