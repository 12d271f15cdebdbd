/* SPDX-License-Identifier: ISC */
/* Connections and requests per client, and deadlines, on a time of our own. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "web/http/client-limits.h"

static struct addr at(const char *text)
{
	struct addr addr;
	assert_int_equal(addr_parse(&addr, text), 0);
	return addr;
}

static struct clients *some(void)
{
	return clients_new(
	    &(struct clients_config){ .connections = 2, .per_second = 10 });
}

static void a_client_has_its_share_of_connections(void **state)
{
	(void)state;
	struct clients *clients = some();
	struct addr a = at("192.0.2.1"), b = at("192.0.2.2");
	struct connection *first = clients_open(clients, &a, -1);
	struct connection *second = clients_open(clients, &a, -1);
	assert_false(clients_admit(clients, &a));
	assert_true(clients_admit(clients, &b));
	clients_close(clients, first);
	assert_true(clients_admit(clients, &a));
	clients_close(clients, second);
	struct clients_stats stats;
	clients_stats(clients, &stats);
	assert_int_equal(stats.connections, 0);
	assert_int_equal(stats.refused, 1);
	clients_free(clients);
}

static void one_above_the_share_is_cut(void **state)
{
	(void)state;
	struct clients *clients = some();
	struct addr a = at("192.0.2.1");
	struct connection *c[3];
	int pair[2];
	char byte;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	for (int i = 0; i < 3; i++)
		c[i] = clients_open(clients, &a, i < 2 ? -1 : pair[0]);
	assert_int_equal(recv(pair[1], &byte, 1, MSG_DONTWAIT), 0);
	for (int i = 0; i < 3; i++)
		clients_close(clients, c[i]);
	close(pair[0]);
	close(pair[1]);
	clients_free(clients);
}

static void one_ipv6_customer_is_one_client(void **state)
{
	(void)state;
	struct clients *clients = some();
	struct addr a = at("2001:db8::1"), b = at("2001:db8::ffff:2");
	struct addr other = at("2001:db8:0:1::1");
	struct connection *first = clients_open(clients, &a, -1);
	struct connection *second = clients_open(clients, &b, -1);
	struct addr third = at("2001:db8::3");
	assert_false(clients_admit(clients, &third));
	assert_true(clients_admit(clients, &other));
	clients_close(clients, first);
	clients_close(clients, second);
	clients_free(clients);
}

static void requests_are_paid_from_a_bucket(void **state)
{
	(void)state;
	struct clients *clients = some();
	struct addr a = at("192.0.2.1");
	struct connection *c = clients_open(clients, &a, -1);
	struct connection *same = clients_open(clients, &a, -1);
	struct monotime now = monotime_now();
	assert_true(clients_charge(clients, c, 15, now));
	assert_true(clients_charge(clients, same, 4, now));
	assert_false(clients_charge(clients, c, 20, now));
	assert_true(clients_charge(clients, c, 0, now));
	now = monotime_add(now, NS_PER_S);
	assert_true(clients_charge(clients, c, 10, now));
	assert_false(clients_charge(clients, c, 10, now));
	now = monotime_add(now, 1000 * NS_PER_S);
	assert_true(clients_charge(clients, c, 20, now));
	assert_false(clients_charge(clients, c, 1, now));
	clients_close(clients, c);
	clients_close(clients, same);
	clients_free(clients);
}

static void an_overdue_connection_is_cut(void **state)
{
	(void)state;
	struct clients *clients = some();
	struct addr a = at("192.0.2.1");
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	struct connection *c = clients_open(clients, &a, pair[0]);
	struct monotime now = monotime_now();
	connection_set_deadline(c, monotime_add(now, NS_PER_S));
	clients_sweep(clients, now);
	char byte;
	assert_int_equal(recv(pair[1], &byte, 1, MSG_DONTWAIT), -1);
	clients_sweep(clients, monotime_add(now, NS_PER_S));
	assert_int_equal(recv(pair[1], &byte, 1, MSG_DONTWAIT), 0);
	struct clients_stats stats;
	clients_stats(clients, &stats);
	assert_int_equal(stats.overdue, 1);
	clients_close(clients, c);
	close(pair[0]);
	close(pair[1]);
	clients_free(clients);
}

static void idle_clients_are_forgotten(void **state)
{
	(void)state;
	struct clients *clients = some();
	struct addr a = at("192.0.2.1");
	struct monotime now = monotime_now();
	struct clients_stats stats;
	struct connection *c = clients_open(clients, &a, -1);
	clients_charge(clients, c, 20, now);
	clients_close(clients, c);
	clients_sweep(clients, now);
	clients_stats(clients, &stats);
	assert_int_equal(stats.clients, 1); /* it has tokens to earn back */
	clients_sweep(clients, monotime_add(now, 3 * NS_PER_S));
	clients_stats(clients, &stats);
	assert_int_equal(stats.clients, 0);
	clients_free(clients);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_has_its_share_of_connections),
		cmocka_unit_test(one_above_the_share_is_cut),
		cmocka_unit_test(one_ipv6_customer_is_one_client),
		cmocka_unit_test(requests_are_paid_from_a_bucket),
		cmocka_unit_test(an_overdue_connection_is_cut),
		cmocka_unit_test(idle_clients_are_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
