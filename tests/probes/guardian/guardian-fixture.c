/* SPDX-License-Identifier: ISC */
/* The fixture's workers, and the guardian in a thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probes/ipc/fd-pass.h"
#include "tests/probes/guardian/guardian-fixture.h"

struct policy policy;
static struct counters *counters;
static struct guardian *guardian;
static pthread_t thread;
static int control[2];
uint64_t breaches;
struct worker workers[WORKERS];

static void *serve(void *arg)
{
	(void)arg;
	guardian_serve(guardian, control[1]);
	return NULL;
}

int add_run(enum policy_who who)
{
	return add_run_by(&(struct guardian_run){ .who = who });
}

int add_run_by(const struct guardian_run *run)
{
	int pair[2];
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(pass_send(control[0], pair[1], run, sizeof(*run)), 0);
	close(pair[1]);
	return pair[0];
}

int setup(void **state)
{
	(void)state;
	memset(&net, 0, sizeof(net));
	memset(workers, 0, sizeof(workers));
	net.now = INT64_C(1) << 60;
	breaches = 0;
	policy_init(&policy);
	counters = counters_new();
	guardian = guardian_new(&fake, NULL, &policy);
	guardian_set_counters(guardian, counters);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
	pthread_create(&thread, NULL, serve, NULL);
	workers[0].fd = add_run(POLICY_LOCAL);
	workers[1].fd = add_run(POLICY_LOCAL);
	workers[2].fd = add_run(POLICY_REMOTE);
	return 0;
}

int teardown(void **state)
{
	(void)state;
	close(control[0]);
	pthread_join(thread, NULL);
	close(control[1]);
	for (int i = 0; i < WORKERS; i++)
		close(workers[i].fd);
	guardian_free(guardian);
	counters_free(counters);
	policy_fini(&policy);
	return 0;
}

uint64_t counted(const char *name)
{
	return *counters_cell(counters, name);
}

struct wire_probe echo(const char *dst, uint64_t cookie)
{
	struct wire_probe p = { .cookie = cookie,
		.until = { net.now + NS_PER_S },
		.listen_all = 1,
		.probe = { .proto = PACKET_ICMP,
		    .ttl = 9,
		    .icmp_id = 5,
		    .icmp_seq = (uint16_t)cookie } };
	assert_int_equal(addr_parse(&p.probe.dst, dst), 0);
	return p;
}

struct wire_probe udp(const char *dst, uint64_t cookie)
{
	struct wire_probe p = echo(dst, cookie);
	p.probe.proto = PACKET_UDP;
	p.probe.sport = 40000;
	p.probe.dport = 33434;
	return p;
}

void say(int who, uint32_t type, uint32_t count, const void *body, size_t len)
{
	static uint8_t bytes[80000];
	struct wire_head h = { .type = type, .count = count };
	memcpy(bytes, &h, sizeof(h));
	if (len)
		memcpy(bytes + sizeof(h), body, len);
	meet();
	assert_int_equal(
	    send(workers[who].fd, bytes, sizeof(h) + len, MSG_NOSIGNAL),
	    sizeof(h) + len);
}

void say_probe(int who, struct wire_probe p)
{
	say(who, WIRE_SEND, 1, &p, sizeof(p));
}

void say_wait(int who, int64_t until)
{
	struct wire_wait wait = { { until } };
	say(who, WIRE_WAIT, 1, &wait, sizeof(wait));
}

bool hear(struct worker *w)
{
	static uint8_t bytes[WIRE_MAX_BYTES];
	ssize_t n = recv(w->fd, bytes, sizeof(bytes), 0);
	meet();
	if (n <= 0)
		return false;
	assert_true(n >= (ssize_t)sizeof(w->head));
	memcpy(&w->head, bytes, sizeof(w->head));
	size_t at = sizeof(w->head), count = w->head.count;
	if (w->head.type != WIRE_EVENT)
		return true;
	assert_true(w->count + count <= MAX_HEARD);
	memcpy(w->heard + w->count, bytes + at, count * sizeof(*w->heard));
	at += count * sizeof(*w->heard);
	for (; count > 0; count--) {
		size_t len = w->heard[w->count++].bytes_len;
		assert_true(at + len <= (size_t)n && len <= 1500);
		if (len)
			memcpy(w->octets, bytes + at, len);
		at += len;
	}
	assert_int_equal(at, n);
	return true;
}

void play(int64_t ns)
{
	struct pollfd polls[WORKERS];
	int64_t until = net.now + ns;
	int left = 0;
	for (int i = 0; i < WORKERS; i++) {
		workers[i].count = 0;
		polls[i] = (struct pollfd){ workers[i].fd, POLLIN, 0 };
		left += workers[i].fd >= 0;
		if (workers[i].fd >= 0)
			say_wait(i, until);
	}
	while (left > 0) {
		poll(polls, WORKERS, -1);
		for (int i = 0; i < WORKERS; i++) {
			if (!polls[i].revents)
				continue;
			assert_true(hear(&workers[i]));
			if (workers[i].head.type == WIRE_EVENT) {
				say_wait(i, until);
			} else {
				polls[i].fd = -1;
				left--;
			}
		}
	}
}
