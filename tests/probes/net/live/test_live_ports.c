/* SPDX-License-Identifier: ISC */
/* In a network of its own, where no other program has ports. */
#include <errno.h>
#include <netinet/in.h>
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
	live_ports_open(&ports, SOCK_DGRAM, LIVE_PORTS);
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

/* The one before it lives a little longer than its command. */
static void one_that_begins_waits_for_its_predecessor(void **state)
{
	(void)state;
	struct live_ports ports;
	pthread_t thread;
	int other = take(FIRST);
	live_ports_open(&ports, SOCK_DGRAM, 4);
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
	live_ports_open(&ports, SOCK_DGRAM, 4);
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
	live_ports_open(&ports, SOCK_DGRAM, 4);
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
	};
	return cmocka_run_group_tests_name("live_ports", tests, NULL, NULL);
}
