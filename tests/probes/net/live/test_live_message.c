/* SPDX-License-Identifier: ISC */
/* What sendmsg(2) is given: whom to hand the packet to, and what the kernel is
 * told of it; and the words behind "live:". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "probes/net/live/live-message.h"
#include "probes/net/live/live-spec.h"

#define TEST(name) cmocka_unit_test(name)

static struct net_route route(const char *src, const char *next_hop)
{
	struct net_route r = { .device_index = 5 };
	assert_int_equal(addr_parse(&r.src, src), 0);
	assert_int_equal(addr_parse(&r.next_hop, next_hop), 0);
	return r;
}

static bool has_control(const struct msghdr *head, int level, int type)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(head); c;
	     c = CMSG_NXTHDR((struct msghdr *)head, c))
		if (c->cmsg_level == level && c->cmsg_type == type)
			return true;
	return false;
}

static void ipv4_is_told_what_it_does_not_read(void **state)
{
	(void)state;
	uint8_t bytes[28] = { 0x45, 0xb8, 0, 28, 0, 0, 0, 0, 64, 17 };
	memcpy(bytes + 16, (uint8_t[]){ 198, 51, 100, 7 }, 4);
	struct net_route r = route("192.0.2.9", "192.0.2.1");
	struct net_send packet = { bytes, sizeof(bytes), 1, &r, false, false };
	struct live_message m;
	struct msghdr head = { 0 };
	live_message_fill(&m, &head, &packet);
	const struct sockaddr_in *to = head.msg_name;
	assert_memory_equal(&to->sin_addr, bytes + 16, 4);
	assert_true(head.msg_controllen <= sizeof(m.control));
	assert_true(has_control(&head, IPPROTO_IP, IP_PKTINFO));
	assert_true(has_control(&head, IPPROTO_IP, IP_TOS));
	struct in_pktinfo info;
	memcpy(&info, CMSG_DATA(CMSG_FIRSTHDR(&head)), sizeof(info));
	assert_int_equal(info.ipi_ifindex, 5);
	assert_memory_equal(&info.ipi_spec_dst, r.src.bytes, 4);
	assert_int_equal(live_message_flags(&packet), 0);
	assert_false(has_control(&head, SOL_SOCKET, SO_TIMESTAMPING));
	r.unqueued = true;
	live_message_fill(&m, &head, &packet);
	assert_true(has_control(&head, SOL_SOCKET, SO_TIMESTAMPING));
	assert_true(has_control(&head, IPPROTO_IP, IP_TOS));
	assert_true(head.msg_controllen <= sizeof(m.control));
	r.by_next_hop = true;
	live_message_fill(&m, &head, &packet);
	assert_memory_equal(&to->sin_addr, r.next_hop.bytes, 4);
	assert_int_equal(live_message_flags(&packet), MSG_DONTROUTE);
	r.next_hop = (struct addr){ 0 }; /* on the link: itself */
	live_message_fill(&m, &head, &packet);
	assert_memory_equal(&to->sin_addr, bytes + 16, 4);
}

static void ipv6_is_told_too(void **state)
{
	(void)state;
	uint8_t bytes[48] = { 0x6b, 0x80, 0, 0, 0, 8, 17, 64 };
	bytes[24] = 0xfe;
	bytes[25] = 0x80;
	struct net_route r = route("fe80::9", "fe80::1");
	struct net_send packet = { bytes, sizeof(bytes), 1, &r, false, false };
	struct live_message m;
	struct msghdr head = { 0 };
	live_message_fill(&m, &head, &packet);
	const struct sockaddr_in6 *to = head.msg_name;
	assert_memory_equal(&to->sin6_addr, bytes + 24, 16);
	assert_int_equal(to->sin6_scope_id, 5);
	assert_int_equal(ntohs(to->sin6_port), 17);
	assert_true(head.msg_controllen <= sizeof(m.control));
	assert_true(has_control(&head, IPPROTO_IPV6, IPV6_PKTINFO));
	assert_true(has_control(&head, IPPROTO_IPV6, IPV6_TCLASS));
	r.by_next_hop = true;
	live_message_fill(&m, &head, &packet);
	assert_memory_equal(&to->sin6_addr, r.next_hop.bytes, 16);
	assert_int_equal(live_message_flags(&packet), 0);
}

static void without_a_device_nothing_is_told(void **state)
{
	(void)state;
	uint8_t bytes[28] = { 0x45 };
	struct net_send packet = { bytes, sizeof(bytes), 1, NULL, false,
		false };
	struct live_message m;
	struct msghdr head = { 0 };
	live_message_fill(&m, &head, &packet);
	assert_int_equal(head.msg_controllen, 0);
	assert_int_equal(live_message_flags(&packet), 0);
}

static void wishes_are_read(void **state)
{
	(void)state;
	struct live_spec spec;
	struct errmsg msg;
	assert_int_equal(live_spec_read(&spec, NULL, &msg), 0);
	assert_int_equal(spec.ring_bytes, 4 << 20);
	assert_int_equal(live_spec_read(&spec,
			     "buffer=1M,interface=eth0,source=192.0.2.9,"
			     "source=2600::9,mark=0x1f",
			     &msg),
	    0);
	assert_int_equal(spec.ring_bytes, 1 << 20);
	assert_string_equal(spec.wish.device, "eth0");
	assert_int_equal(spec.wish.source[0].family, 4);
	assert_int_equal(spec.wish.source[1].family, 6);
	assert_int_equal(spec.wish.mark, 0x1f);
	assert_int_equal(live_spec_read(&spec, "mark=4294967295", &msg), 0);
	assert_int_equal(spec.wish.mark, UINT32_MAX);
}

static void wrong_wishes_are_named(void **state)
{
	(void)state;
	static const char *const wrong[] = { "buffer=1k", "buffer=2G",
		"interface=", "interface=sixteen-letters-", "interface=a/b",
		"source=example.net",
		"source=", "source=192.0.2.1,source=192.0.2.2",
		"mark=4294967296", "mark=-1", "mark=", "mark=0x", "mark=1x",
		"mark=0x1ffffffff", "speed=9", "buffer" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct live_spec spec;
		struct errmsg msg = { "" };
		assert_int_equal(
		    live_spec_read(&spec, wrong[i], &msg), ERR_USAGE);
		assert_non_null(strstr(msg.text, "expected"));
	}
	char longest[300];
	struct live_spec spec;
	struct errmsg msg = { "" };
	memset(longest, 'x', sizeof(longest));
	longest[299] = '\0';
	assert_int_equal(live_spec_read(&spec, longest, &msg), ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ipv4_is_told_what_it_does_not_read),
		TEST(ipv6_is_told_too),
		TEST(without_a_device_nothing_is_told),
		TEST(wishes_are_read),
		TEST(wrong_wishes_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
