/* SPDX-License-Identifier: ISC */
/*
 * The keeper's producers: datagrams of records or log lines, each checked
 * against what its producer may send.  One that breaks the rules is cut off,
 * and that is a record too.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/reader.h"
#include "probes/agent/keeper/keeper-producers.h"
#include "probes/agent/keeper/keeper-store.h"
#include "probes/agent/keeper/keeper-results.h"

#define DATAGRAMS_A_TURN 64 /* of one producer, before the next one's */
#define LINE_LEN 512
#define LINES_A_PRODUCER 1000 /* of log; the rest is not kept */

void keeper_drop_producer(struct keeper *k, size_t i)
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

static void refuse_producer(
    struct keeper *k, size_t i, const struct errmsg *why)
{
	char text[LINE_LEN];
	const char *name = k->producers[i].grant.name;
	snprintf(text, sizeof(text), "%s is cut off: %s", name, why->text);
	log_warn("%s", text);
	counters_add(k->refused, 1);
	keeper_append_log(k, 1, "keeper", text);
	keeper_drop_producer(k, i);
}

/* A line of a script's log; anything but printable ASCII becomes '?'. */
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
	keeper_append_run_log(k, 2, p->grant.name, text, &p->grant);
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

static int take_record(struct keeper *k, const struct producer *p,
    const uint8_t *bytes, size_t len, struct errmsg *msg)
{
	Sonde__Record *record;
	int err = producer_unpack(&p->grant, bytes, len, &record, msg);
	if (err)
		return err;
	enum spool_class class = record_kind_of(record->body_case)->class;
	err = keeper_check_result(k, record, msg);
	record_free(record);
	if (err == 0)
		keeper_append(k, class, bytes, len);
	else if (err == 1)
		counters_add(k->appended, 1); /* the spool has the same */
	else if (err == ERR_NOT_FOUND)
		keeper_drop_record(k);
	else
		return err;
	return 0;
}

static int take_each_frame(struct keeper *k, struct producer *p, size_t len,
    uint64_t *taken, struct errmsg *msg)
{
	struct reader r = reader_init(k->datagram, len);
	const uint8_t *record;
	size_t record_len;
	int err;
	while ((err = producer_next_frame(&r, &record, &record_len)) == 0) {
		err = take_record(k, p, record, record_len, msg);
		if (err)
			return err;
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
	counters_add(k->appended, count - taken); /* refused, and reported */
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
bool keeper_take_datagram(struct keeper *k, size_t i)
{
	struct producer *p = &k->producers[i];
	struct errmsg msg = { "" };
	ssize_t n = recv(p->fd, k->datagram, PRODUCER_DATAGRAM_BYTES,
	    MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		keeper_drop_producer(k, i);
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
		refuse_producer(k, i, &msg);
	return err == 0;
}

void keeper_take_turn(struct keeper *k, size_t i)
{
	if (k->producers[i].grant.flags & PRODUCER_LISTENS) {
		accept_producer(k, &k->producers[i]);
		return;
	}
	for (int n = 0; n < DATAGRAMS_A_TURN; n++)
		if (!keeper_take_datagram(k, i))
			return;
}
