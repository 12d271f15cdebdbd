/* SPDX-License-Identifier: ISC */
/* Interfaces in ICMP extensions (RFC 5837, RFC 8335): the octets of each form,
 * what is read of them, and how each may be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "lib/packet/interface.h"

static struct packet_extension object_of(
    uint8_t class_num, uint8_t c_type, const void *data, size_t len)
{
	return (struct packet_extension){class_num, c_type, data, len};
}
#define OBJECT(class_num, c_type, ...)                             \
	object_of((class_num), (c_type), (const uint8_t[]){__VA_ARGS__}, \
	          sizeof((const uint8_t[]){__VA_ARGS__}))

static const char *text_of(const struct addr *a)
{
	static char text[ADDR_TEXT_LEN];
	return addr_text(a, text);
}

static void all_that_is_announced_is_read(void **state)
{
	(void)state;
	struct packet_interface i;
	struct packet_extension all = OBJECT(2, 0x0f,
		0, 0, 0, 7,                             /* index */
		0, 1, 0, 0, 192, 0, 2, 1,               /* address */
		8, 'e', 't', 'h', '0', 0, 0, 0,         /* name */
		0, 0, 5, 220);                          /* MTU */
	assert_int_equal(packet_interface(&all, &i), 0);
	assert_int_equal(i.role, PACKET_INTERFACE_INCOMING);
	assert_true(i.has_index && i.has_mtu);
	assert_int_equal(i.index, 7);
	assert_string_equal(text_of(&i.address), "192.0.2.1");
	assert_string_equal(i.name, "eth0");
	assert_int_equal(i.mtu, 1500);
	assert_string_equal(packet_interface_role_name(i.role), "incoming");
}

static void the_role_is_in_the_two_highest_bits(void **state)
{
	(void)state;
	static const char *const roles[] = {
		"incoming", "sub-ip", "outgoing", "next-hop"};
	for (unsigned role = 0; role < 4; role++) {
		struct packet_interface i;
		struct packet_extension e =
			OBJECT(2, (uint8_t)(role << 6 | 0x08), 0, 0, 0, 1);
		assert_int_equal(packet_interface(&e, &i), 0);
		assert_string_equal(
			packet_interface_role_name(i.role), roles[role]);
		assert_true(i.has_index && !i.has_mtu);
		assert_int_equal(i.address.family, 0);
		assert_string_equal(i.name, "");
	}
}

static void an_echo_names_its_interface_in_one_way(void **state)
{
	(void)state;
	struct packet_interface i;
	struct packet_extension name = OBJECT(3, 1, 'g', 'e', '-', '0', '/', '1',
		0, 0);
	struct packet_extension number = OBJECT(3, 2, 0, 0, 1, 0);
	struct packet_extension address = OBJECT(3, 3, 0, 2, 16, 0,
		0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
	assert_int_equal(packet_interface(&name, &i), 0);
	assert_string_equal(i.name, "ge-0/1");
	assert_string_equal(packet_interface_role_name(i.role), "asked-for");
	assert_int_equal(packet_interface(&number, &i), 0);
	assert_true(i.has_index);
	assert_int_equal(i.index, 256);
	assert_int_equal(packet_interface(&address, &i), 0);
	assert_string_equal(text_of(&i.address), "2001:db8::1");
}

static void what_contradicts_itself_is_refused(void **state)
{
	(void)state;
	static const struct {
		uint8_t class_num, c_type, data[8];
		size_t len;
		int err;
	} cases[] = {
		{1, 1, {0, 0, 0x11, 1}, 4, ERR_NOT_FOUND},
		{2, 0x08, {0, 0, 1}, 3, ERR_TRUNCATED},
		{2, 0x04, {0, 9, 0, 0, 1, 2, 3, 4}, 8, ERR_MALFORMED},
		{2, 0x04, {0, 2, 0, 0, 1, 2, 3, 4}, 8, ERR_TRUNCATED},
		{2, 0x02, {0, 'a', 'b', 'c'}, 4, ERR_MALFORMED},
		{2, 0x02, {68, 'a', 'b', 'c'}, 4, ERR_MALFORMED},
		{2, 0x02, {64, 'a', 'b', 'c'}, 4, ERR_TRUNCATED},
		{2, 0x03, {4, 'a', 'b', 'c', 0, 1}, 6, ERR_TRUNCATED},
		{3, 2, {0, 1}, 2, ERR_TRUNCATED},
		{3, 3, {0, 1, 16, 0, 1, 2, 3, 4}, 8, ERR_MALFORMED},
		{3, 4, {0, 1, 4, 0}, 4, ERR_UNSUPPORTED},
	};
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct packet_interface i;
		struct packet_extension e = object_of(cases[k].class_num,
			cases[k].c_type, cases[k].data, cases[k].len);
		assert_int_equal(packet_interface(&e, &i), cases[k].err);
	}
}

static void a_name_cannot_mislead_its_reader(void **state)
{
	(void)state;
	struct packet_interface i;
	uint8_t longest[100];
	struct packet_extension controls =
		OBJECT(2, 0x02, 8, 'a', 27, '[', 0xc3, 0xa9, 0x7f, 'z');
	struct packet_extension longer = {3, 1, longest, sizeof(longest)};
	assert_int_equal(packet_interface(&controls, &i), 0);
	assert_string_equal(i.name, "a?[???z");
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(packet_interface(&longer, &i), 0);
	assert_int_equal(strlen(i.name), PACKET_INTERFACE_NAME - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_that_is_announced_is_read),
	    cmocka_unit_test(the_role_is_in_the_two_highest_bits),
	    cmocka_unit_test(an_echo_names_its_interface_in_one_way),
	    cmocka_unit_test(what_contradicts_itself_is_refused),
	    cmocka_unit_test(a_name_cannot_mislead_its_reader),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
