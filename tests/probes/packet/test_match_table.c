/* SPDX-License-Identifier: ISC */
/* Which of the probes in the air an answer fits, and how long that takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "probes/packet/match-table.h"

static struct probe_builder *builder;

static struct addr addr(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(&a, text), 0);
	return a;
}

/* Many probes in the air, from 192.0.2.1. */
struct air {
	struct match_table *table;
	struct match_entry *entries;
	uint8_t (*bytes)[128];
	size_t *lens, count, size;
};

static struct air air_new(size_t size)
{
	return (struct air){ .table = match_table_new(77),
		.entries = xcalloc(size, sizeof(struct match_entry)),
		.bytes = xcalloc(size, 128),
		.lens = xcalloc(size, sizeof(size_t)),
		.size = size };
}

static void air_free(struct air *air)
{
	for (size_t i = 0; i < air->count; i++)
		match_table_remove(&air->entries[i]);
	match_table_free(air->table);
	free(air->entries);
	free(air->bytes);
	free(air->lens);
}

static void fly(struct air *air, struct probe probe, const void *owner)
{
	struct addr src = addr("192.0.2.1");
	size_t i = air->count++;
	int len = probe_build(
	    builder, &probe, &src, air->bytes[i], sizeof(air->bytes[i]), NULL);
	assert_true(len > 0 && i < air->size);
	air->lens[i] = (size_t)len;
	air->entries[i] = (struct match_entry){ .sent = match_sent_of(&probe,
						    &src, air->bytes[i]),
		.owner = owner };
	match_table_fetch(air->table, &air->entries[i]);
	match_table_add(&air->entries[i]);
}

static struct match_found find(
    struct air *air, const void *bytes, size_t len, bool to_own)
{
	struct packet p;
	struct match_answer answer;
	struct match_found found;
	packet_decode_ip(&p, bytes, len, len);
	assert_true(match_read(&answer, &p));
	answer.to_own = to_own;
	match_table_find(air->table, &answer, &found);
	return found;
}

/* A time exceeded that quotes probe i. */
static struct match_found expire_by(struct air *air, size_t i, uint8_t len)
{
	uint8_t e[256] = { 0x45, 0, 0, 28 + len, 0, 0, 0, 0, 64, 1, 0, 0, 203,
		0, 113, 1, 192, 0, 2, 1, 11 };
	memcpy(e + 28, air->bytes[i], len);
	return find(air, e, 28u + len, false);
}

static struct match_found expire(struct air *air, size_t i)
{
	return expire_by(air, i, 28);
}

/* The echo reply or datagram that answers probe i, from an address. */
static struct match_found answer(
    struct air *air, size_t i, const char *from, bool to_own)
{
	uint8_t r[128];
	size_t len = air->lens[i];
	struct addr src = addr(from);
	memcpy(r, air->bytes[i], len);
	memcpy(r + 16, r + 12, 4);
	memcpy(r + 12, src.bytes, 4);
	if (r[9] == PACKET_UDP) {
		memcpy(r + 20, air->bytes[i] + 22, 2);
		memcpy(r + 22, air->bytes[i] + 20, 2);
	} else { /* the type drops by 8, so the sum grows by it */
		uint32_t sum = (uint32_t)(r[22] << 8 | r[23]) + 0x0800;
		sum = (sum & 0xffff) + (sum >> 16);
		r[20] = 0;
		r[22] = (uint8_t)(sum >> 8);
		r[23] = (uint8_t)sum;
	}
	if (to_own)
		r[19] ^= 2; /* the kernel translates: not where it left from */
	return find(air, r, len, to_own);
}

static struct probe echo(uint16_t id, uint16_t seq)
{
	return (struct probe){ .dst = addr("198.51.100.1"),
		.proto = PACKET_ICMP,
		.ttl = 9,
		.ip_id = seq,
		.icmp_id = id,
		.icmp_seq = seq,
		.payload_len = 16 };
}

static struct probe datagram(uint16_t sport, uint16_t ip_id)
{
	return (struct probe){ .dst = addr("198.51.100.1"),
		.proto = PACKET_UDP,
		.ttl = 9,
		.ip_id = ip_id,
		.sport = sport,
		.dport = 862,
		.payload_len = 16 };
}

static void each_probe_has_its_own_answer(void **state)
{
	(void)state;
	struct air air = air_new(20000);
	for (size_t i = 0; i < 20000; i++)
		fly(&air, echo((uint16_t)(i / 5000), (uint16_t)(1 + i % 5000)),
		    &air);
	for (size_t i = 0; i < 20000; i += 7) {
		struct match_found f = answer(&air, i, "198.51.100.1", false);
		assert_int_equal(f.count, 1);
		assert_ptr_equal(f.entries[0], &air.entries[i]);
		assert_false(f.ambiguous || f.elsewhere);
		f = expire(&air, i);
		assert_int_equal(f.count, 1);
		assert_ptr_equal(f.entries[0], &air.entries[i]);
	}
	air_free(&air);
}

static void what_left_is_not_found(void **state)
{
	(void)state;
	struct air air = air_new(3);
	for (uint16_t i = 0; i < 3; i++)
		fly(&air, echo(1, (uint16_t)(i + 1)), &air);
	match_table_remove(&air.entries[1]);
	assert_int_equal(answer(&air, 1, "198.51.100.1", false).count, 0);
	assert_int_equal(answer(&air, 0, "198.51.100.1", false).count, 1);
	assert_int_equal(answer(&air, 2, "198.51.100.1", false).count, 1);
	match_table_fetch(air.table, &air.entries[1]);
	match_table_add(&air.entries[1]);
	air_free(&air);
}

static void another_address_must_show_what_it_saw(void **state)
{
	(void)state;
	struct air air = air_new(2);
	fly(&air, echo(1, 1), &air);
	fly(&air, datagram(40000, 5), &air);
	struct match_found f = answer(&air, 0, "198.51.100.99", false);
	assert_true(f.elsewhere && f.count == 1);
	f = answer(&air, 1, "198.51.100.99", false);
	assert_true(f.elsewhere && f.count == 1);
	air.bytes[0][30] ^= 1; /* another payload */
	f = answer(&air, 0, "198.51.100.99", false);
	assert_int_equal(f.count, 0);
	air_free(&air);
}

/* A time exceeded that quotes probe i as it was built for another target. */
static struct match_found expire_translated(
    struct air *air, size_t i, struct probe probe)
{
	struct addr src = addr("192.0.2.1");
	probe.dst = addr("10.9.8.7");
	assert_true(probe_build(builder, &probe, &src, air->bytes[i],
			sizeof(air->bytes[i]), NULL) > 0);
	return expire(air, i);
}

static void behind_a_translator_another_target_is_quoted(void **state)
{
	(void)state;
	struct probe segment = datagram(40000, 300);
	segment.proto = PACKET_TCP;
	segment.tcp_flags = PACKET_TCP_SYN;
	segment.tcp_seq = 70000;
	segment.payload_len = 0;
	const struct probe probes[] = { echo(7, 1), datagram(40000, 200),
		segment };
	for (size_t i = 0; i < 3; i++) {
		struct air air = air_new(4);
		struct probe second = probes[i];
		second.ip_id++;
		second.ttl++;
		second.icmp_seq++;
		second.tcp_seq++;
		fly(&air, probes[i], NULL);
		fly(&air, second, NULL);
		struct match_found found = expire_translated(&air, 1, second);
		assert_true(found.fit == MATCH_WEAK && found.count == 1);
		assert_ptr_equal(found.entries[0], &air.entries[1]);
		assert_true(!found.ambiguous && !found.elsewhere);
		air.bytes[1][5] ^= 0x80; /* the IP ID */
		assert_int_equal(expire(&air, 1).count, 0);
		air.bytes[1][5] ^= 0x80;
		air.bytes[1][i == 0 ? 23 : 27] ^= 1; /* the sum, or number */
		assert_int_equal(expire(&air, 1).count, 0);
		air.bytes[1][i == 0 ? 23 : 27] ^= 1;
		air.bytes[1][15] ^= 1; /* and the source is not ours */
		assert_int_equal(expire(&air, 1).count, 0);
		air_free(&air);
	}
}

static void behind_a_translator_another_port_is_quoted(void **state)
{
	(void)state;
	struct probe segment = datagram(40000, 300);
	segment.proto = PACKET_TCP;
	segment.tcp_flags = PACKET_TCP_SYN;
	segment.tcp_seq = 70000;
	segment.payload_len = 0;
	const struct probe probes[] = { datagram(40000, 200), segment };
	for (size_t i = 0; i < 2; i++) {
		struct air air = air_new(3);
		struct addr src = addr("192.0.2.1");
		struct probe there = probes[i];
		fly(&air, there, NULL);
		there.dport = 8080;
		there.payload_len++;
		there.ip_id++;
		there.tcp_seq++;
		fly(&air, there, NULL); /* which contradicts, and is there */
		there = probes[i];
		there.dport = 8080;
		assert_true(probe_build(builder, &there, &src, air.bytes[0],
				sizeof(air.bytes[0]), NULL) > 0);
		struct match_found found = expire(&air, 0);
		assert_true(found.fit == MATCH_WEAK && found.count == 1);
		assert_ptr_equal(found.entries[0], &air.entries[0]);
		air.bytes[0][27] ^= 4; /* the sum, or number */
		assert_int_equal(expire(&air, 0).count, 0);
		air_free(&air);
	}
}

static void a_quote_of_the_header_alone_proves_by_its_id(void **state)
{
	(void)state;
	const struct probe probes[] = { echo(7, 100), datagram(40000, 100) };
	for (size_t i = 0; i < 2; i++) {
		struct air air = air_new(3);
		struct probe second = probes[i], third = probes[i];
		second.ip_id++;
		fly(&air, probes[i], NULL);
		fly(&air, second, NULL);
		struct match_found found = expire_by(&air, 1, 20);
		assert_true(found.count == 1 && !found.ambiguous);
		assert_ptr_equal(found.entries[0], &air.entries[1]);
		third.ip_id = second.ip_id; /* unlike it in ports alone */
		third.icmp_id++;
		third.sport++;
		fly(&air, third, NULL);
		found = expire_by(&air, 1, 20);
		assert_true(found.count == 2 && found.ambiguous);
		found = expire_by(&air, 1, 24); /* the echo's sum, the ports */
		assert_true(found.count == 1 && !found.ambiguous);
		assert_ptr_equal(found.entries[0], &air.entries[1]);
		air.bytes[0][4] ^= 1;
		assert_int_equal(expire_by(&air, 0, 20).count, 0);
		air_free(&air);
	}
}

static void a_service_may_answer_from_another_port(void **state)
{
	(void)state;
	struct air air = air_new(3);
	struct probe other = datagram(40001, 2);
	fly(&air, datagram(40000, 1), NULL);
	fly(&air, other, NULL);
	air.bytes[0][22] ^= 1; /* where it answers from */
	struct match_found found = answer(&air, 0, "198.51.100.1", false);
	assert_true(found.count == 1 && !found.ambiguous && !found.elsewhere);
	assert_ptr_equal(found.entries[0], &air.entries[0]);
	assert_int_equal(answer(&air, 0, "198.51.100.2", false).count, 0);
	other.sport = 40000; /* no port of its own */
	fly(&air, other, NULL);
	found = answer(&air, 0, "198.51.100.1", false);
	assert_true(found.count == 2 && found.ambiguous);
	air_free(&air);
}

static void own_packets_that_the_kernel_translates_come_home(void **state)
{
	(void)state;
	struct air air = air_new(1);
	fly(&air, echo(1, 1), &air);
	assert_int_equal(answer(&air, 0, "198.51.100.1", true).count, 1);
	air_free(&air);
}

static void one_flow_without_proof_is_ambiguous_and_told_once(void **state)
{
	(void)state;
	struct air air = air_new(5);
	for (uint16_t i = 0; i < 5; i++)
		fly(&air, datagram(40000, (uint16_t)(i + 1)), &air);
	struct match_found f = answer(&air, 0, "198.51.100.1", false);
	assert_true(f.ambiguous);
	assert_false(f.shared);
	assert_int_equal(f.count, 5);
	for (size_t i = 0; i < 5; i++)
		air.entries[i].told = true;
	f = answer(&air, 1, "198.51.100.1", false);
	assert_true(f.ambiguous);
	assert_int_equal(f.count, 0);
	/* Errors quote the IP ID, which is proof. */
	f = expire(&air, 3);
	assert_false(f.ambiguous);
	assert_ptr_equal(f.entries[0], &air.entries[3]);
	air_free(&air);
}

static void of_two_owners_is_said(void **state)
{
	(void)state;
	struct air air = air_new(2);
	fly(&air, datagram(40000, 1), &air);
	fly(&air, datagram(40000, 2), &builder);
	struct match_found f = answer(&air, 0, "198.51.100.1", false);
	assert_true(f.ambiguous && f.shared);
	air_free(&air);
}

static void the_mark_tells_runs_with_one_id_apart(void **state)
{
	(void)state;
	struct air air = air_new(2);
	static const uint8_t mine[16] = "mine", theirs[16] = "theirs";
	struct probe p = echo(1, 1);
	p.payload = mine;
	fly(&air, p, &air);
	p.payload = theirs;
	fly(&air, p, &builder);
	for (size_t i = 0; i < 2; i++) {
		struct match_found f = answer(&air, i, "198.51.100.1", false);
		assert_false(f.ambiguous);
		assert_ptr_equal(f.entries[0], &air.entries[i]);
	}
	air_free(&air);
}

static void ids_do_not_come_back_soon(void **state)
{
	(void)state;
	struct match_table *table = match_table_new(12345);
	static uint8_t seen[65536];
	for (int i = 0; i < 65535; i++) {
		uint16_t id = match_table_next_ip_id(table);
		assert_int_not_equal(id, 0);
		assert_int_equal(seen[id]++, 0);
	}
	match_table_free(table);
}

/* What a translator left of a probe is met in two chains. */
static void a_probe_that_fits_a_little_is_found_once(void **state)
{
	(void)state;
	struct air air = air_new(1);
	fly(&air,
	    (struct probe){ .dst = addr("192.0.2.80"),
		.proto = PACKET_ICMP,
		.ttl = 2,
		.ip_id = 0x4242,
		.icmp_id = 7,
		.icmp_seq = 9,
		.payload_len = 8 },
	    &air);
	uint8_t e[56] = { 0x45, 0, 0, 56, 0, 0, 0, 0, 64, 1, 0, 0, 203, 0, 113,
		1, 192, 0, 2, 1, 11 };
	memcpy(e + 28, air.bytes[0], 28);
	/* The source that was outside. */
	memcpy(e + 28 + 12, (uint8_t[]){ 203, 0, 113, 8 }, 4);
	struct match_found found = find(&air, e, sizeof(e), false);
	assert_true(found.fit >= MATCH_WEAK);
	assert_int_equal(found.count, 1);
	assert_false(found.ambiguous);
	air_free(&air);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_probe_has_its_own_answer),
		cmocka_unit_test(what_left_is_not_found),
		cmocka_unit_test(another_address_must_show_what_it_saw),
		cmocka_unit_test(behind_a_translator_another_target_is_quoted),
		cmocka_unit_test(behind_a_translator_another_port_is_quoted),
		cmocka_unit_test(a_quote_of_the_header_alone_proves_by_its_id),
		cmocka_unit_test(a_service_may_answer_from_another_port),
		cmocka_unit_test(
		    own_packets_that_the_kernel_translates_come_home),
		cmocka_unit_test(
		    one_flow_without_proof_is_ambiguous_and_told_once),
		cmocka_unit_test(of_two_owners_is_said),
		cmocka_unit_test(the_mark_tells_runs_with_one_id_apart),
		cmocka_unit_test(ids_do_not_come_back_soon),
		cmocka_unit_test(a_probe_that_fits_a_little_is_found_once),
	};
	struct errmsg msg;
	builder = probe_builder_new(&msg);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	probe_builder_free(builder);
	return failed;
}
