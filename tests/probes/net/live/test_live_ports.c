/* SPDX-License-Identifier: ISC */
/* In a network of its own, where no other program has ports. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/packet/packet.h"
#include "probes/net/live/live-feed.h"
#include "probes/net/live/live-ports.h"

#define FIRST 20000

static int alone(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) != 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		skip();
	return 0;
}

static int take(uint16_t port)
{
	const struct sockaddr_in any = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) == 0)
		return fd;
	assert_int_equal(errno, EADDRINUSE);
	close(fd);
	return -1;
}

static bool is_free(uint16_t port)
{
	int fd = take(port);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void *close_soon(void *fd)
{
	const struct timespec soon = { 0, 2 * NS_PER_MS };
	nanosleep(&soon, NULL);
	close(*(int *)fd);
	return NULL;
}

static void leave(struct live_ports *ports, uint16_t port, int64_t now)
{
	uint8_t packet[28] = { 0x45, 0, 0, 28, 0, 0, 0, 0, 64, PACKET_UDP };
	packet[20] = (uint8_t)(port >> 8);
	packet[21] = (uint8_t)port;
	live_ports_hold(
	    ports, packet, sizeof(packet), (struct monotime){ now });
}

static void ports_are_held_as_long_as_there_are_sockets(void **state)
{
	(void)state;
	struct live_ports ports;
	live_ports_open(&ports, SOCK_DGRAM, LIVE_PORTS, LIVE_PORTS);
	for (int again = 0; again < 2; again++)
		for (int i = 0; i < LIVE_PORTS + 9; i++)
			leave(&ports, (uint16_t)(FIRST + i), again);
	for (int i = 0; i < LIVE_PORTS + 9; i++)
		assert_int_equal(
		    is_free((uint16_t)(FIRST + i)), i >= LIVE_PORTS);
	live_ports_close(&ports);
	for (int i = 0; i < LIVE_PORTS + 9; i++)
		assert_true(is_free((uint16_t)(FIRST + i)));
}

static void *serve(void *fd)
{
	struct pollfd p = { *(int *)fd, POLLIN, 0 };
	while (poll(&p, 1, -1) > 0 && live_feed_serve(p.fd))
		;
	close(p.fd);
	return NULL;
}

/* Further ones, by a pair of sockets to a thread in the same network. */
struct fed {
	struct live_ports ports;
	int ends[2];
	pthread_t thread;
};

static void fed_open(struct fed *f, int type, size_t first, size_t most)
{
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, f->ends), 0);
	assert_int_equal(
	    pthread_create(&f->thread, NULL, serve, &f->ends[0]), 0);
	live_ports_open(&f->ports, type, first, most);
	f->ports.feed_fd = f->ends[1];
}

static void fed_close(struct fed *f)
{
	live_ports_close(&f->ports);
	close(f->ends[1]);
	pthread_join(f->thread, NULL);
}

/* A thread that serves may be late: then the port is asked for again, as a
 * probe's next packet does. */
static void leave_until_held(struct fed *f, uint16_t port, int64_t now)
{
	const struct timespec pause = { 0, NS_PER_MS };
	for (int tries = 0; tries < 20000 && is_free(port); tries++) {
		if (tries > 0)
			nanosleep(&pause, NULL);
		leave(&f->ports, port, now);
	}
	assert_false(is_free(port));
}

static void further_sockets_come_from_who_stayed(void **state)
{
	struct fed f;
	(void)state;
	fed_open(&f, SOCK_DGRAM, 2, LIVE_PORTS);
	for (int i = 0; i < LIVE_PORTS; i++)
		leave_until_held(&f, (uint16_t)(FIRST + i), 1);
	leave(&f.ports, FIRST + LIVE_PORTS, 1);
	assert_true(is_free(FIRST + LIVE_PORTS));
	assert_int_equal(f.ports.count, LIVE_PORTS);
	fed_close(&f);
	for (int i = 0; i < LIVE_PORTS; i++)
		assert_true(is_free((uint16_t)(FIRST + i)));
}

/* More than there is room for, in the life of one that runs long. */
static void ports_in_use_are_held_however_many_came_before(void **state)
{
	enum { OVER = 300 };
	const int64_t later = LIVE_PORTS_IDLE_NS + 2;
	struct fed f;
	(void)state;
	fed_open(&f, SOCK_DGRAM, LIVE_PORTS_FIRST, LIVE_PORTS_LONG);
	for (int i = 0; i < LIVE_PORTS_LONG; i++)
		leave_until_held(&f, (uint16_t)(FIRST + i), 1);
	/* None is idle yet: what is in use keeps its port. */
	leave(&f.ports, FIRST + LIVE_PORTS_LONG, 2);
	assert_true(is_free(FIRST + LIVE_PORTS_LONG));
	/* All but the first have long been idle. */
	leave(&f.ports, FIRST, later - 1);
	for (int i = 0; i < OVER; i++)
		leave_until_held(
		    &f, (uint16_t)(FIRST + LIVE_PORTS_LONG + i), later);
	assert_false(is_free(FIRST));
	assert_int_equal(f.ports.count, LIVE_PORTS_LONG);
	int held = 0;
	for (int i = 0; i < LIVE_PORTS_LONG + OVER; i++)
		held += !is_free((uint16_t)(FIRST + i));
	assert_int_equal(held, LIVE_PORTS_LONG);
	fed_close(&f);
}

/* Both kinds ask at one end, and each gets what is of its own. */
static void answers_go_to_the_set_of_their_type(void **state)
{
	struct fed f;
	struct live_ports streams;
	struct live_feed_answer answer;
	int type;
	socklen_t len = sizeof(type);
	(void)state;
	fed_open(&f, SOCK_DGRAM, 0, 4);
	live_ports_open(&streams, SOCK_STREAM, 0, 4);
	streams.feed_fd = f.ends[1];
	streams.sibling = &f.ports;
	f.ports.sibling = &streams;
	streams.asked = live_feed_ask(f.ends[1], SOCK_STREAM) == 0;
	assert_true(streams.asked);
	leave_until_held(&f, FIRST, 1);
	while (streams.asked)
		leave(&f.ports, FIRST + 1, 1);
	assert_true(streams.spare_count > 0);
	assert_int_equal(
	    getsockopt(streams.spare[0], SOL_SOCKET, SO_TYPE, &type, &len), 0);
	assert_int_equal(type, SOCK_STREAM);
	assert_false(live_feed_take(f.ends[1], 0, &answer));
	live_ports_close(&streams);
	fed_close(&f);
}

/* What the other end asks is a guardian's, which may be another's by now. */
static void what_is_no_request_ends_the_feed(void **state)
{
	int pair[2];
	(void)state;
	for (int type = 0; type < 256; type += 255) {
		assert_int_equal(
		    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair),
		    0);
		assert_true(live_feed_serve(pair[0])); /* nothing yet */
		assert_int_equal(live_feed_ask(pair[1], type), 0);
		assert_false(live_feed_serve(pair[0]));
		close(pair[0]);
		assert_true(live_feed_ask(pair[1], SOCK_DGRAM) < 0);
		close(pair[1]);
	}
}

/* The one before it lives a little longer than its command. */
static void one_that_begins_waits_for_its_predecessor(void **state)
{
	(void)state;
	struct live_ports ports;
	pthread_t thread;
	int other = take(FIRST);
	live_ports_open(&ports, SOCK_DGRAM, 4, 4);
	assert_int_equal(pthread_create(&thread, NULL, close_soon, &other), 0);
	leave(&ports, FIRST, monotime_now().ns);
	pthread_join(thread, NULL);
	live_ports_retry(&ports, monotime_add(monotime_now(), NS_PER_S));
	assert_int_equal(ports.missing, 0);
	assert_false(is_free(FIRST));
	live_ports_close(&ports);
}

static void a_port_that_another_leaves_is_taken(void **state)
{
	(void)state;
	struct live_ports ports;
	int64_t now = NS_PER_S;
	int other = take(FIRST), third = take(FIRST + 1);
	live_ports_open(&ports, SOCK_DGRAM, 4, 4);
	leave(&ports, FIRST, now);
	leave(&ports, FIRST + 1, now);
	assert_int_equal(ports.missing, 2);
	live_ports_retry(&ports, (struct monotime){ now += NS_PER_S });
	assert_int_equal(ports.missing, 2);
	close(other);
	live_ports_retry(&ports, (struct monotime){ now += NS_PER_S });
	assert_int_equal(ports.missing, 1);
	assert_false(is_free(FIRST));
	/* Nothing that left from it can still be answered. */
	close(third);
	live_ports_retry(&ports, (struct monotime){ now += 9 * NS_PER_S });
	assert_true(is_free(FIRST + 1));
	live_ports_close(&ports);
}

/* What comes to a held port finds no reader and fills no memory. */
static void a_held_port_keeps_little(void **state)
{
	(void)state;
	struct live_ports ports;
	int size = 0;
	socklen_t len = sizeof(size);
	live_ports_open(&ports, SOCK_DGRAM, 4, 4);
	leave(&ports, FIRST, 1);
	assert_true(ports.list[0].held);
	assert_int_equal(
	    getsockopt(ports.list[0].fd, SOL_SOCKET, SO_RCVBUF, &size, &len),
	    0);
	assert_in_range(size, 1, 8192);
	live_ports_close(&ports);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    ports_are_held_as_long_as_there_are_sockets, alone),
		cmocka_unit_test_setup(
		    one_that_begins_waits_for_its_predecessor, alone),
		cmocka_unit_test_setup(
		    a_port_that_another_leaves_is_taken, alone),
		cmocka_unit_test_setup(a_held_port_keeps_little, alone),
		cmocka_unit_test_setup(
		    further_sockets_come_from_who_stayed, alone),
		cmocka_unit_test_setup(
		    ports_in_use_are_held_however_many_came_before, alone),
		cmocka_unit_test_setup(
		    answers_go_to_the_set_of_their_type, alone),
		cmocka_unit_test(what_is_no_request_ends_the_feed),
	};
	return cmocka_run_group_tests_name("live_ports", tests, NULL, NULL);
}
