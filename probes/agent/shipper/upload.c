/* SPDX-License-Identifier: ISC */
/*
 * The position is (epoch, next): the collector has committed all below next.
 * Records from next on are read, sealed with gap_from = next, and the answer
 * alone moves the position: forward by a commit, back by a collector that
 * lost some, to a new epoch when the numbers mean something else over there.
 */
#include <jansson.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record/batch.h"
#include "lib/base/reader.h"
#include "lib/spool/spool.h"
#include "lib/base/xalloc.h"
#include "probes/agent/shipper/upload.h"

#define REFUSALS 3 /* of one record, before it is left out */

struct shipping {
	struct spool_reader *reader;
	uint8_t agent[16], secret_key[64];
	uint64_t epoch, next; /* the position */
	uint64_t skip_to;     /* read from here on; 0: from next */
	uint64_t committed;   /* the highest next in this epoch */
	struct ship_mark mark;
	struct batch_header sent; /* the last batch sealed */
	uint32_t most;            /* records in a batch, now */
	unsigned refusals;        /* of the one record that is sent */
	uint64_t forked;          /* this epoch's numbers are not ours; 0 */
	char generation[SHIPPING_GENERATION_LEN];
	struct buf raw;
};

int shipping_new(struct shipping **shipping, const char *spool_dir,
    const uint8_t agent[static 16], const uint8_t secret_key[static 64],
    struct errmsg *msg)
{
	struct shipping *s = xcalloc(1, sizeof(*s));
	memcpy(s->agent, agent, sizeof(s->agent));
	memcpy(s->secret_key, secret_key, sizeof(s->secret_key));
	s->most = SHIPPING_COUNT;
	int err = spool_reader_open(&s->reader, spool_dir, msg);
	if (!err)
		err = spool_reader_acked(s->reader, &s->epoch, &s->next, msg);
	s->committed = s->next;
	if (err) {
		shipping_free(s);
		return err;
	}
	*shipping = s;
	return 0;
}

void shipping_free(struct shipping *shipping)
{
	if (!shipping)
		return;
	spool_reader_close(shipping->reader);
	buf_fini(&shipping->raw);
	explicit_bzero(shipping->secret_key, sizeof(shipping->secret_key));
	free(shipping);
}

static void go_to(struct shipping *s, uint64_t epoch, uint64_t next)
{
	if (epoch != s->epoch || next > s->committed)
		s->committed = next;
	s->epoch = epoch;
	s->next = next;
	s->skip_to = 0;
	s->refusals = 0;
}

void shipping_mark(struct shipping *shipping, const struct ship_mark *mark)
{
	shipping->mark = *mark;
	if (shipping->forked && mark->epoch > shipping->forked) {
		go_to(shipping, mark->epoch, 1);
		shipping->forked = 0;
	}
}

/* --- the next batch ---------------------------------------------------- */

/* Cuts the run down to `most` records. */
static void cut(struct shipping *s, struct spool_run *run, uint64_t most)
{
	struct reader r = reader_init(s->raw.data, s->raw.len);
	if (run->count <= most)
		return;
	for (uint64_t i = 0; i < most; i++)
		reader_skip(&r, reader_be32(&r));
	s->raw.len -= reader_left(&r);
	run->count = (uint32_t)most;
}

/* Only what is synced: all of older epochs, this one up to the mark. */
static int read_run(
    struct shipping *s, struct spool_run *run, struct errmsg *msg)
{
	buf_clear(&s->raw);
	uint64_t from = s->skip_to ? s->skip_to : s->next;
	int err = spool_reader_next(s->reader,
	    &(struct spool_want){ s->epoch, from, s->most, SHIPPING_RAW_BYTES },
	    run, &s->raw, msg);
	if (err)
		return err;
	if (run->epoch > s->mark.epoch)
		return ERR_EOF;
	if (run->epoch == s->mark.epoch) {
		if (run->first_seq >= s->mark.next_seq)
			return ERR_EOF;
		cut(s, run, s->mark.next_seq - run->first_seq);
	}
	return run->count ? 0 : ERR_EOF;
}

int shipping_seal(
    struct shipping *shipping, struct buf *body, struct errmsg *msg)
{
	struct spool_run run = { 0 };
	if (shipping->forked || shipping->mark.epoch == 0)
		return ERR_EOF;
	int err = read_run(shipping, &run, msg);
	if (err)
		return err;
	struct batch_header *h = &shipping->sent;
	memset(h, 0, sizeof(*h));
	memcpy(h->agent, shipping->agent, sizeof(h->agent));
	h->epoch = run.epoch;
	h->gap_from = run.epoch == shipping->epoch ? shipping->next : 1;
	h->first_seq = run.first_seq;
	h->count = run.count;
	buf_clear(body);
	return batch_seal(body, h, shipping->raw.data, shipping->raw.len,
	    shipping->secret_key, msg);
}

/* --- the answer -------------------------------------------------------- */

static void order(struct shipping_outcome *outcome, enum ship_order_kind kind,
    uint64_t epoch, uint64_t from, uint64_t next)
{
	outcome->orders[outcome->order_count++] = (struct ship_order){
		.kind = kind, .epoch = epoch, .from_seq = from, .next_seq = next
	};
}

/* The other side has more of this epoch than we ever wrote, or other bytes
 * under the same numbers: the keeper starts a new epoch. */
static void fork_found(struct shipping *s, struct shipping_outcome *outcome)
{
	s->forked = s->sent.epoch;
	order(outcome, SHIP_NEW_EPOCH, s->sent.epoch, 0, 0);
	outcome->next = SHIPPING_RETRY;
	err_set(&outcome->trouble, ERR_FORKED,
	    "the collector has other records under the numbers of epoch "
	    "%" PRIu64 ": a new epoch is asked for",
	    s->sent.epoch);
}

static bool is_beyond_us(const struct shipping *s, uint64_t next)
{
	return s->sent.epoch == s->mark.epoch && next > s->mark.next_seq;
}

/* A range that went with the batch as a gap and that the collector once had:
 * it lost it and we no longer have it. */
static void declare_rollback(
    const struct shipping *s, struct shipping_outcome *outcome)
{
	uint64_t end =
	    s->sent.first_seq < s->committed ? s->sent.first_seq : s->committed;
	if (s->sent.epoch == s->epoch && s->sent.gap_from < end)
		order(outcome, SHIP_LOST, s->sent.epoch, s->sent.gap_from, end);
}

static void committed(struct shipping *s, const struct shipping_reply *reply,
    struct shipping_outcome *outcome)
{
	if (reply->epoch != s->sent.epoch || !reply->has_next ||
	    reply->next <= s->sent.gap_from) {
		outcome->next = SHIPPING_RETRY;
		err_set(&outcome->trouble, ERR_MALFORMED,
		    "the collector's answer moves nothing");
		return;
	}
	if (is_beyond_us(s, reply->next)) {
		fork_found(s, outcome);
		return;
	}
	if (s->generation[0] && strcmp(s->generation, reply->generation) != 0)
		err_set(&outcome->trouble, ERR_OK,
		    "the collector is of another generation (restored?)");
	memcpy(s->generation, reply->generation, sizeof(s->generation));
	declare_rollback(s, outcome);
	go_to(s, reply->epoch, reply->next);
	order(outcome, SHIP_ACK, reply->epoch, 0, reply->next);
	s->most = s->most * 2 > SHIPPING_COUNT ? SHIPPING_COUNT : s->most * 2;
	outcome->next = SHIPPING_GO_ON;
}

/* 409 gap: it expects another number.  If we asked for exactly that one, the
 * answer contradicts itself and only time can help. */
static void gap(struct shipping *s, const struct shipping_reply *reply,
    struct shipping_outcome *outcome)
{
	outcome->next = SHIPPING_RETRY;
	if (!reply->has_expected || reply->expected == 0 ||
	    reply->expected == s->sent.gap_from) {
		err_set(&outcome->trouble, ERR_GAP,
		    "the collector refuses the number it expects");
		return;
	}
	if (is_beyond_us(s, reply->expected)) {
		fork_found(s, outcome);
		return;
	}
	err_set(&outcome->trouble, ERR_GAP,
	    "the collector expects %" PRIu64 " of epoch %" PRIu64
	    ", not %" PRIu64,
	    reply->expected, s->sent.epoch, s->sent.gap_from);
	uint64_t once = s->epoch == s->sent.epoch ? s->committed : 0;
	go_to(s, s->sent.epoch, reply->expected);
	s->committed = once > reply->expected ? once : reply->expected;
	outcome->next = SHIPPING_GO_ON;
}

static bool is_own_refusal(const char *code)
{
	return strcmp(code, "malformed") == 0 || strcmp(code, "too-big") == 0 ||
	    strcmp(code, "bomb") == 0;
}

/* Refused for what is in it: find the record by halving, and leave only that
 * one out, declared.  Only when the collector itself answers so, again and
 * again: something between us may spoil a batch, or refuse it in its own name.
 */
static void take_refusal(
    struct shipping *s, const char *code, struct shipping_outcome *outcome)
{
	outcome->next = SHIPPING_RETRY;
	err_set(&outcome->trouble, ERR_MALFORMED,
	    "the collector refuses the batch at %" PRIu64 " (%s)",
	    s->sent.first_seq, code);
	if (s->sent.count > 1) {
		s->most = s->sent.count / 2;
		s->refusals = 0;
		return;
	}
	if (!is_own_refusal(code) || ++s->refusals < REFUSALS)
		return;
	s->refusals = 0;
	if (s->sent.epoch != s->epoch)
		go_to(s, s->sent.epoch, 1);
	s->skip_to = s->sent.first_seq + 1;
	order(outcome, SHIP_LOST, s->sent.epoch, s->sent.first_seq, s->skip_to);
}

static void conflict(struct shipping *s, const struct shipping_reply *reply,
    struct shipping_outcome *outcome)
{
	if (strcmp(reply->code, "forked") == 0)
		fork_found(s, outcome);
	else
		gap(s, reply, outcome);
}

void shipping_answer(struct shipping *shipping, long status, const void *body,
    size_t len, int64_t retry_after_s, struct shipping_outcome *outcome)
{
	struct shipping_reply reply;
	memset(outcome, 0, sizeof(*outcome));
	outcome->next = SHIPPING_RETRY;
	bool parsed = shipping_parse(&reply, body, len, &outcome->trouble) == 0;
	if (status == 200 && parsed)
		committed(shipping, &reply, outcome);
	else if (status == 409 && parsed)
		conflict(shipping, &reply, outcome);
	else if (status == 400 || status == 413)
		take_refusal(
		    shipping, parsed ? reply.code : "no reason given", outcome);
	else if (status == 429 || status == 503) {
		outcome->next = SHIPPING_WAIT;
		outcome->retry_after_s = retry_after_s < 0 ? 1
		    : retry_after_s > 3600                 ? 3600
							   : retry_after_s;
		err_set(&outcome->trouble, ERR_UNAVAILABLE,
		    "the collector is busy");
	} else if (status != 0)
		err_set(&outcome->trouble, ERR_UNAVAILABLE,
		    "the collector answers %ld %s", status, reply.code);
}

/* --- the collector's answer, as far as it can be believed ---------------- */

#define REPLY_MAX_BYTES (64u << 10)

static void text_member(char *to, size_t size, json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	size_t n = 0;
	for (; text && text[n] && n < size - 1; n++)
		to[n] =
		    (char)(text[n] >= 0x20 && text[n] < 0x7f ? text[n] : '?');
	to[n] = '\0';
}

static bool number_member(uint64_t *to, json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*to = (uint64_t)json_integer_value(value);
	return true;
}

int shipping_parse(struct shipping_reply *reply, const void *body, size_t len,
    struct errmsg *msg)
{
	json_error_t error;
	memset(reply, 0, sizeof(*reply));
	if (len > REPLY_MAX_BYTES)
		return err_set(msg, ERR_LIMIT, "answer: %zu bytes", len);
	json_t *root =
	    json_loadb(body ? body : "", len, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(root)) {
		json_decref(root);
		return err_set(msg, ERR_MALFORMED, "answer: not JSON");
	}
	text_member(reply->result, sizeof(reply->result), root, "result");
	text_member(reply->code, sizeof(reply->code), root, "code");
	text_member(
	    reply->generation, sizeof(reply->generation), root, "generation");
	text_member(reply->server_time, sizeof(reply->server_time), root,
	    "server_time");
	number_member(&reply->epoch, root, "epoch");
	reply->has_next = number_member(&reply->next, root, "next");
	reply->has_expected = number_member(&reply->expected, root, "expected");
	json_decref(root);
	return 0;
}
