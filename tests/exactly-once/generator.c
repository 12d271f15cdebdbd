/* SPDX-License-Identifier: ISC */
/*
 * The judge's producer: feeds records to a real agent and keeps its own
 * ledger of them, a line each, written before the record is sent:
 *
 *   S SERIAL SHA-256    was sent: may be stored, at most once
 *   C SERIAL            the keeper says that it is on disk: must be stored
 *
 * usage: generator FEED LEDGER FIRST-SERIAL RECORDS-PER-SECOND SEED
 * Ends on SIGTERM: sends no more, waits for the last confirmations.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/reader.h"
#include "probes/ipc/record-frame.h"

#define LAST_WAIT_NS (5 * NS_PER_S)
#define WINDOW 4096 /* sent on one connection and not confirmed */
#define TEXT_MAX 3000

static volatile sig_atomic_t ending;

struct generator {
	const char *feed;
	int fd, ledger;     /* fd -1: not connected */
	uint64_t serial;    /* of the next record */
	uint64_t first;     /* on this connection */
	uint64_t confirmed; /* of this connection */
	uint64_t random;
};

static void on_term(int number)
{
	(void)number;
	ending = 1;
}

static uint64_t next_random(struct generator *g)
{
	g->random ^= g->random << 13;
	g->random ^= g->random >> 7;
	g->random ^= g->random << 17;
	return g->random;
}

static void note(
    struct generator *g, char what, uint64_t serial, const char *hash)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "%c %llu%s%s\n", what,
	    (unsigned long long)serial, hash ? " " : "", hash ? hash : "");
	if (write(g->ledger, line, (size_t)n) != n)
		abort();
}

static void connect_feed(struct generator *g)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", g->feed);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		close(fd);
		return;
	}
	g->fd = fd;
	g->first = g->serial;
	g->confirmed = 0;
}

static void disconnect(struct generator *g)
{
	close(g->fd);
	g->fd = -1;
}

/* A record that says its serial, with text of any length. */
static void make_record(struct generator *g, struct buf *frame)
{
	static char text[TEXT_MAX + 1];
	size_t len = next_random(g) % TEXT_MAX;
	for (size_t i = 0; i < len; i++)
		text[i] = (char)('a' + next_random(g) % 26);
	text[len] = '\0';
	Sonde__Field serial = SONDE__FIELD__INIT, noise = SONDE__FIELD__INIT;
	Sonde__Field *fields[] = { &serial, &noise };
	Sonde__Train train = SONDE__TRAIN__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	serial.name = (char *)"serial";
	serial.value_case = SONDE__FIELD__VALUE_INTEGER;
	serial.integer = (int64_t)g->serial;
	noise.name = (char *)"noise";
	noise.value_case = SONDE__FIELD__VALUE_TEXT;
	noise.text = text;
	train.script = (char *)"ledger";
	train.fields = fields;
	train.n_fields = 2;
	record.body_case = SONDE__RECORD__BODY_TRAIN;
	record.train = &train;
	record_stamp(&record);
	buf_clear(frame);
	buf_be32(frame, 0);
	if (record_pack(&record, frame, NULL) != 0)
		abort();
	size_t bytes = frame->len - 4;
	for (int i = 0; i < 4; i++)
		frame->data[i] = (uint8_t)(bytes >> (24 - 8 * i));
}

static void send_record(struct generator *g, struct buf *frame)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	char hex[2 * sizeof(hash) + 1];
	make_record(g, frame);
	crypto_hash_sha256(hash, frame->data + 4, frame->len - 4);
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	note(g, 'S', g->serial++, hex);
	if (send(g->fd, frame->data, frame->len, MSG_NOSIGNAL) < 0)
		disconnect(g);
}

static void take_confirmations(struct generator *g)
{
	uint8_t bytes[8];
	ssize_t n;
	while ((n = recv(g->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) == 8) {
		struct reader r = reader_init(bytes, sizeof(bytes));
		uint64_t count = reader_be64(&r);
		for (; g->confirmed < count; g->confirmed++)
			note(g, 'C', g->first + g->confirmed, NULL);
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		disconnect(g);
}

static bool may_send(const struct generator *g)
{
	return !ending && g->serial - g->first - g->confirmed < WINDOW;
}

static void run(struct generator *g, int64_t gap_ns)
{
	struct buf frame = { 0 };
	struct monotime end = { INT64_MAX };
	while (monotime_before(monotime_now(), end)) {
		struct timespec gap = { gap_ns / NS_PER_S, gap_ns % NS_PER_S };
		if (ending && end.ns == INT64_MAX)
			end = monotime_add(monotime_now(), LAST_WAIT_NS);
		if (g->fd < 0 && ending)
			break;
		if (g->fd < 0)
			connect_feed(g);
		if (g->fd >= 0 && may_send(g))
			send_record(g, &frame);
		if (g->fd >= 0)
			take_confirmations(g);
		if (ending && g->fd >= 0 &&
		    g->first + g->confirmed == g->serial)
			break;
		nanosleep(&gap, NULL);
	}
	buf_fini(&frame);
}

int main(int argc, char **argv)
{
	struct sigaction term = { .sa_handler = on_term };
	struct generator g = { .fd = -1 };
	if (argc != 6 || sodium_init() < 0)
		return 2;
	sigaction(SIGTERM, &term, NULL);
	g.feed = argv[1];
	g.ledger =
	    open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	g.serial = strtoull(argv[3], NULL, 10);
	g.random = strtoull(argv[5], NULL, 10) * 2 + 1;
	if (g.ledger < 0)
		return 1;
	run(&g, NS_PER_S / (atoi(argv[4]) > 0 ? atoi(argv[4]) : 1));
	return 0;
}
