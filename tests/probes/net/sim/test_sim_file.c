/* SPDX-License-Identifier: ISC */
/* The description of a simulated internet: what is refused, in which words. */
#include "tests/probes/net/sim/sim-lab.h"

static void assert_refused(const char *text, const char *why)
{
	struct lab lab;
	struct errmsg msg = { "" };
	assert_int_equal(lab_load(&lab, text, NULL, &msg), ERR_CONFIG);
	const char *said = strchr(msg.text, ':');
	assert_non_null(said);
	assert_string_equal(said + 1, why);
}

static void errors_say_line_expected_and_got(void **state)
{
	(void)state;
	assert_refused("seed 1\n\nruoter a 10.0.0.1\n",
	    "3: expected seed, start, default, vantage, router, host, link, "
	    "route, generate, converge or at, got 'ruoter'");
	assert_refused("seed x\n",
	    "1: seed: expected a number from 0 to "
	    "18446744073709551615, got 'x'");
	assert_refused("router a\n",
	    "1: router: expected an address, got the end of the line");
	assert_refused("router a 10.0.0.1 colour red\n",
	    "1: router: expected an option or the end of the line, got "
	    "'colour'");
	assert_refused("router 10.0.0.1\n",
	    "1: router: expected a name: a "
	    "letter, then letters, digits, '.', '_', '-', got '10.0.0.1'");
	assert_refused("router a 10.0.0.1\nrouter b 10.0.0.1\n",
	    "2: router: address 10.0.0.1 is taken by 'a'");
	assert_refused("router a 10.0.0.1\nlink a c\n",
	    "2: link: expected the name of a node that is above, got 'c'");
	assert_refused("router a 10.0.0.1\nlink a a\n",
	    "2: link: expected another node, got 'a'");
	assert_refused("default link delay 5\n",
	    "1: default: expected a time "
	    "such as 5ms or a range such as 1ms..20ms, got '5'");
	assert_refused("default link delay 5ms..1ms\n",
	    "1: default: expected a time such as 5ms or a range such as "
	    "1ms..20ms, got '5ms..1ms'");
	assert_refused("default link loss 120%\n",
	    "1: default: expected a "
	    "share such as 2% or 0.02, at most 100%, got '120%'");
	assert_refused("default router ecmp 6-tuple\n",
	    "1: default: expected 5-tuple, first-4-octets, src-dst or "
	    "per-packet, got '6-tuple'");
	assert_refused("default router \\\n  ttl 0\n",
	    "1: default: expected "
	    "a number from 1 to 255, got '0'");
	assert_refused("host h 10.0.0.1/8\n",
	    "1: host: expected a prefix "
	    "such as 192.0.2.0/24 without host bits, got '10.0.0.1/8'");
	assert_refused("router a 10.0.0.1\nroute a 0.0.0.0/0 via b\n",
	    "2: route: expected a neighbour of 'a', got 'b'");
	assert_refused(
	    "router a 10.0.0.1\n"
	    "generate tree t at a fanout 10 depth 3 addresses 10.1.0.0/28\n",
	    "2: generate: 10.1.0.0/28 has too few addresses");
	assert_refused(
	    "router a 10.0.0.1\nrouter d.2 10.0.0.2\n"
	    "generate tree d at a fanout 2 depth 1 addresses 10.0.0.0/8\n",
	    "3: generate: 'd.2' is there already, or there are more than "
	    "1000000 nodes");
	assert_refused("router a 10.0.0.1\n",
	    " no vantage: expected a line "
	    "'vantage NAME ADDRESS...'");
}

static void errors_of_what_is_rude_say_what_they_expect(void **state)
{
	(void)state;
	assert_refused("router a 10.0.0.1 reject-with 256\n",
	    "1: router: expected a code from 0 to 255, tcp-reset or a name such "
	    "as admin-prohibited, got '256'");
	assert_refused("router a 10.0.0.1 bleach tos\n",
	    "1: router: expected dscp, ecn or dscp,ecn, got 'tos'");
	assert_refused("router a 10.0.0.1 extension-length 18\n",
	    "1: router: expected right,none,17,octets, got '18'");
	assert_refused("router a 10.0.0.1 limit windows\n",
	    "1: router: expected a number above 0, got 'windows'");
	assert_refused("router a 10.0.0.1 ip-id-rate 9..5\n",
	    "1: router: expected a number from 0 to 60000 or a range such as "
	    "10..90, got '9..5'");
	assert_refused("host a 10.0.0.1 serve dns,smtp\n",
	    "1: host: expected stamp, dns, ntp, http, each with :PORT or "
	    "without, with ',' between, got 'dns,smtp'");
	assert_refused("host a 10.0.0.1 clock-skew 5\n",
	    "1: host: expected a skew such as 20ppm or -0.5ppm, got '5'");
	assert_refused("router a 10.0.0.1\nat 5s node b silent\n",
	    "2: at: expected the name of a node that is above, got 'b'");
	assert_refused("at 5s host b\n",
	    "1: at: expected link, node or route, got 'host'");
	assert_refused("router a 10.0.0.1\nrouter b 10.0.0.2\n"
	    "at 1s link a b down\n",
	    "3: at: expected a neighbour of the first, got 'b'");
	assert_refused("router a 10.0.0.1\nat 1s route a 10.0.0.0/8 away\n",
	    "2: at: expected via, unreachable, drop or none, got 'away'");
	assert_refused("router a 10.0.0.1\nrouter b 10.0.0.2 nat 10.0.0.1\n",
	    "2: router: address 10.0.0.1 is taken by 'a'");
}

static void another_vantage_can_be_asked_for(void **state)
{
	(void)state;
	struct lab lab;
	struct errmsg msg = { "" };
	const struct net_flow flow = { .dst = addr("10.0.0.9") };
	struct net_route route;
	static const char text[] = "vantage a 10.0.0.1\nvantage b 10.0.0.2\n"
				   "link a b\n";
	assert_int_equal(lab_load(&lab, text, "b", &msg), 0);
	assert_int_equal(net_sim.route(lab.net, &flow, &route), 0);
	const struct addr b = addr("10.0.0.2");
	assert_true(addr_equal(&route.src, &b));
	net_sim.close(lab.net);
	assert_int_equal(lab_load(&lab, text, "c", &msg), ERR_CONFIG);
	assert_non_null(strstr(msg.text, "no node is called 'c'"));
}

static void comments_blanks_and_joined_lines_are_read(void **state)
{
	(void)state;
	struct lab lab;
	struct addr a;
	lab_open(&lab,
	    "# a comment\n\t \nvantage me 10.0.0.1 # me\n"
	    "host farm 10.1.0.0/16 \\\n   no-udp \\\n   ttl 128\r\n"
	    "link me \\\n farm");
	struct probe p = lab_echo("10.1.200.3", 9);
	assert_int_equal(lab_ask(&lab, &p), 1);
	assert_int_equal(lab.packet.ttl, 128);
	p = lab_udp("10.1.200.3", 9);
	assert_int_equal(lab_ask(&lab, &p), 0);
	a = addr("10.2.0.1");
	assert_false(net_sim.is_own(lab.net, &a));
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_say_line_expected_and_got),
		cmocka_unit_test(errors_of_what_is_rude_say_what_they_expect),
		cmocka_unit_test(another_vantage_can_be_asked_for),
		cmocka_unit_test(comments_blanks_and_joined_lines_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
