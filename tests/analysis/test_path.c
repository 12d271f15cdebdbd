/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "analysis/path.h"
#include "lib/record/record.h"

/* A trace as rows: ttl, who answered (NULL: nobody), rtt in us. */
struct row {
	uint32_t ttl;
	const char *from;
	uint64_t rtt_us;
	const char *denied;
	bool duplicate;
};

static struct path path_of(const struct row *rows, size_t count)
{
	Sonde__Reply replies[32], *pointers[32];
	struct addr from[32], src, dst;
	Sonde__Trace trace = SONDE__TRACE__INIT;
	for (size_t i = 0; i < count; i++) {
		sonde__reply__init(&replies[i]);
		replies[i].probe_ttl = rows[i].ttl;
		replies[i].tx_wall_ns = rows[i].denied ? 0 : 1000;
		if (rows[i].rtt_us)
			REPLY_SET(
			    &replies[i], RTT_NS, rtt_ns, rows[i].rtt_us * 1000);
		replies[i].duplicate = rows[i].duplicate;
		if (rows[i].denied)
			replies[i].denied = (char *)rows[i].denied;
		pointers[i] = &replies[i];
		if (!rows[i].from)
			continue;
		addr_parse(&from[i], rows[i].from);
		replies[i].from.data = from[i].bytes;
		replies[i].from.len = addr_len(&from[i]);
	}
	addr_parse(&src, "192.0.2.1");
	addr_parse(&dst, "192.0.2.9");
	trace.src.data = src.bytes;
	trace.dst.data = dst.bytes;
	trace.src.len = trace.dst.len = 4;
	trace.replies = pointers;
	trace.n_replies = count;
	struct path path;
	path_from_trace(&path, &trace, 1000);
	return path;
}
#define PATH(...)                                    \
	path_of((const struct row[]){ __VA_ARGS__ }, \
	    sizeof((const struct row[]){ __VA_ARGS__ }) / sizeof(struct row))

static void assert_from(const struct path_hop *hop, const char *from)
{
	char text[ADDR_TEXT_LEN] = "";
	if (hop->from.family)
		addr_text(&hop->from, text);
	assert_string_equal(text, from ? from : "");
}

static void attempts_are_summed_by_distance(void **state)
{
	(void)state;
	struct path p = PATH({ 1, "10.0.0.1", 900, NULL, false },
	    { 1, "10.0.0.1", 700, NULL, false }, { 1, NULL, 0, NULL, false },
	    { 2, NULL, 0, NULL, false }, { 3, "192.0.2.9", 2000, NULL, false });
	assert_int_equal(p.hop_count, 3);
	assert_from(&p.hops[0], "10.0.0.1");
	assert_int_equal(p.hops[0].probes, 3);
	assert_int_equal(p.hops[0].replies, 2);
	assert_int_equal(p.hops[0].rtt_min_ns, 700000);
	assert_from(&p.hops[1], NULL);
	assert_int_equal(p.hops[1].probes, 1);
	assert_true(p.hops[2].destination);
	assert_int_equal(p.reached, 1);
	path_fini(&p);
}

static void what_was_never_sent_was_not_lost(void **state)
{
	(void)state;
	struct path p = PATH({ 1, "10.0.0.1", 900, NULL, false },
	    { 1, NULL, 0, "rate", false }, { 1, "10.0.0.1", 950, NULL, true });
	assert_int_equal(p.hops[0].probes, 1);
	assert_int_equal(p.hops[0].replies, 1);
	path_fini(&p);
}

/* Who says no for the target stays no target, also in what is kept. */
static void a_router_that_rejects_is_kept_as_one(void **state)
{
	(void)state;
	Sonde__Reply reply = SONDE__REPLY__INIT, *replies[] = { &reply };
	Sonde__Trace trace = SONDE__TRACE__INIT;
	struct addr wall, dst;
	struct path p, read = { 0 };
	struct buf hops = { 0 };
	addr_parse(&wall, "10.0.0.1");
	addr_parse(&dst, "192.0.2.9");
	reply.probe_ttl = 1;
	reply.from = (ProtobufCBinaryData){ 4, wall.bytes };
	REPLY_SET(&reply, ICMP_TYPE, icmp_type, 3);
	REPLY_SET(&reply, ICMP_CODE, icmp_code, 13);
	trace.dst = (ProtobufCBinaryData){ 4, dst.bytes };
	trace.method = (char *)"udp";
	trace.replies = replies;
	trace.n_replies = 1;
	path_from_trace(&p, &trace, 1000);
	assert_int_equal(p.reached, 0);
	path_write_hops(&p, &hops);
	assert_int_equal(path_read_hops(&read, hops.data, hops.len), 0);
	assert_int_equal(read.hop_count, 1);
	assert_from(&read.hops[0], "10.0.0.1");
	assert_true(read.hops[0].rejects && !read.hops[0].destination);
	assert_int_equal(read.hops[0].reject_type, 3);
	assert_int_equal(read.hops[0].reject_code, 13);
	buf_fini(&hops);
	path_fini(&read);
	path_fini(&p);
}

/* Port unreachable in the target's own name: reached, for UDP its answer, and
 * else a packet filter's word. */
static void a_filter_that_speaks_for_its_target_rejects(void **state)
{
	(void)state;
	for (int udp = 0; udp < 2; udp++) {
		Sonde__Reply reply = SONDE__REPLY__INIT,
			     *replies[] = { &reply };
		Sonde__Trace trace = SONDE__TRACE__INIT;
		struct addr dst;
		struct path p, read = { 0 };
		struct buf hops = { 0 };
		addr_parse(&dst, "192.0.2.9");
		reply.probe_ttl = 1;
		reply.from = (ProtobufCBinaryData){ 4, dst.bytes };
		REPLY_SET(&reply, ICMP_TYPE, icmp_type, 3);
		REPLY_SET(&reply, ICMP_CODE, icmp_code, 3);
		trace.dst = reply.from;
		trace.method = (char *)(udp ? "udp" : "icmp");
		trace.replies = replies;
		trace.n_replies = 1;
		path_from_trace(&p, &trace, 1000);
		assert_int_equal(p.reached, 1);
		path_write_hops(&p, &hops);
		assert_int_equal(path_read_hops(&read, hops.data, hops.len), 0);
		assert_true(read.hops[0].destination);
		assert_int_equal(read.hops[0].rejects, !udp);
		path_fini(&read);
		path_fini(&p);
		buf_fini(&hops);
	}
}

static void hops_beyond_the_target_are_left_out(void **state)
{
	(void)state;
	struct path p = PATH({ 1, "10.0.0.1", 900, NULL, false },
	    { 2, "192.0.2.9", 1000, NULL, false },
	    { 3, "192.0.2.9", 1100, NULL, false });
	assert_int_equal(p.hop_count, 2);
	path_fini(&p);
}

static void a_distance_without_probes_is_a_hop_without_probes(void **state)
{
	(void)state;
	struct path p = PATH({ 3, "10.0.0.3", 900, NULL, false },
	    { 1, "10.0.0.1", 100, NULL, false });
	assert_int_equal(p.hop_count, 3);
	assert_int_equal(p.hops[1].probes, 0);
	assert_int_equal(p.hops[1].ttl, 2);
	path_fini(&p);
}

static void the_one_with_most_answers_stands_for_the_hop(void **state)
{
	(void)state;
	struct path p = PATH({ 1, "10.0.0.2", 100, NULL, false },
	    { 1, "10.0.0.3", 900, NULL, false },
	    { 1, "10.0.0.3", 800, NULL, false });
	assert_from(&p.hops[0], "10.0.0.3");
	assert_int_equal(p.hops[0].rtt_min_ns, 800000);
	assert_int_equal(p.hops[0].replies, 3);
	path_fini(&p);
}

static void a_trace_of_nothing_has_no_hops(void **state)
{
	(void)state;
	struct path p =
	    PATH({ 0, NULL, 0, NULL, false }, { 256, NULL, 0, NULL, false },
		{ 4000000000u, NULL, 0, NULL, false });
	assert_int_equal(p.hop_count, 0);
	path_fini(&p);
}

static void bytes_give_the_same_path_back(void **state)
{
	(void)state;
	struct path p = PATH({ 2, "10.0.0.1", 900, NULL, false },
	    { 3, NULL, 0, NULL, false }, { 4, "2001:db8::1", 5, NULL, false },
	    { 5, "192.0.2.9", 2000, NULL, false });
	struct path back = { .src = p.src, .dst = p.dst };
	struct buf hops = { 0 }, sums = { 0 };
	uint8_t digest[2][PATH_DIGEST_LEN];
	path_write_hops(&p, &hops);
	path_write_sums(&p, &sums);
	assert_int_equal(
	    path_read(&back, hops.data, hops.len, sums.data, sums.len), ERR_OK);
	assert_int_equal(back.hop_count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_true(addr_equal(&back.hops[i].from, &p.hops[i].from));
		assert_int_equal(back.hops[i].ttl, p.hops[i].ttl);
		assert_int_equal(back.hops[i].probes, p.hops[i].probes);
		assert_int_equal(back.hops[i].rtt_min_ns, p.hops[i].rtt_min_ns);
	}
	assert_true(back.hops[3].destination);
	path_digest(&p, digest[0]);
	path_digest(&back, digest[1]);
	assert_memory_equal(digest[0], digest[1], PATH_DIGEST_LEN);
	/* Every prefix of the bytes is an error, not a crash. */
	for (size_t len = 0; len < sums.len; len++) {
		struct path cut = { 0 };
		assert_int_equal(
		    path_read(&cut, hops.data, hops.len, sums.data, len),
		    ERR_CORRUPT);
		path_fini(&cut);
	}
	path_fini(&p);
	path_fini(&back);
	buf_fini(&hops);
	buf_fini(&sums);
}

static void a_lost_answer_is_loss_on_the_same_path(void **state)
{
	(void)state;
	struct path whole = PATH({ 1, "10.0.0.1", 900, NULL, false },
	    { 2, "10.0.0.2", 950, NULL, false },
	    { 3, "192.0.2.9", 1000, NULL, false });
	struct path holed = PATH({ 1, "10.0.0.1", 900, NULL, false },
	    { 2, NULL, 0, NULL, false }, { 3, NULL, 0, NULL, false },
	    { 4, NULL, 0, NULL, false });
	struct path other = PATH({ 1, "10.0.0.1", 900, NULL, false },
	    { 2, "10.0.0.7", 950, NULL, false });
	assert_true(path_absorb(&whole, &holed));
	assert_int_equal(whole.traces, 2);
	assert_int_equal(whole.hops[1].probes, 2);
	assert_int_equal(whole.hops[1].replies, 1);
	assert_int_equal(whole.hops[2].probes, 2);
	assert_int_equal(whole.hops[2].replies, 1);
	assert_false(path_absorb(&whole, &other));
	assert_false(path_absorb(&holed, &whole));
	path_fini(&whole);
	path_fini(&holed);
	path_fini(&other);
}

static void silence_at_the_end_is_not_drawn(void **state)
{
	(void)state;
	struct path p = PATH({ 1, "10.0.0.1", 900, NULL, false },
	    { 2, NULL, 0, NULL, false }, { 3, NULL, 0, NULL, false });
	struct topology_hop hops[PATH_MAX_HOPS];
	struct topology_trace trace;
	path_as_trace(&p, hops, &trace);
	assert_int_equal(trace.hop_count, 1);
	assert_int_equal(trace.count, 1);
	assert_false(trace.reached);
	path_fini(&p);
}

static void sums_added_as_bytes_equal_a_merge(void **state)
{
	(void)state;
	struct path p = PATH({ 1, "10.0.0.1", 900, NULL, false },
	    { 2, NULL, 0, NULL, false }, { 3, "192.0.2.9", 2000, NULL, false });
	struct path q = PATH({ 1, "10.0.0.1", 700, NULL, false },
	    { 1, "10.0.0.1", 901, NULL, false }, { 2, NULL, 0, NULL, false },
	    { 3, "192.0.2.9", 2000, NULL, false });
	struct buf held = { 0 }, added = { 0 }, merged = { 0 };
	path_write_sums(&q, &held);
	assert_int_equal(
	    path_write_sums_with(&p, held.data, held.len, &added), ERR_OK);
	for (size_t len = 0; len < held.len; len++) {
		struct buf cut = { 0 };
		assert_int_equal(path_write_sums_with(&p, held.data, len, &cut),
		    ERR_CORRUPT);
		buf_fini(&cut);
	}
	path_merge(&p, &q);
	path_write_sums(&p, &merged);
	assert_int_equal(added.len, merged.len);
	assert_memory_equal(added.data, merged.data, merged.len);
	buf_fini(&held);
	buf_fini(&added);
	buf_fini(&merged);
	path_fini(&p);
	path_fini(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attempts_are_summed_by_distance),
		cmocka_unit_test(what_was_never_sent_was_not_lost),
		cmocka_unit_test(a_router_that_rejects_is_kept_as_one),
		cmocka_unit_test(a_filter_that_speaks_for_its_target_rejects),
		cmocka_unit_test(hops_beyond_the_target_are_left_out),
		cmocka_unit_test(
		    a_distance_without_probes_is_a_hop_without_probes),
		cmocka_unit_test(the_one_with_most_answers_stands_for_the_hop),
		cmocka_unit_test(a_trace_of_nothing_has_no_hops),
		cmocka_unit_test(bytes_give_the_same_path_back),
		cmocka_unit_test(a_lost_answer_is_loss_on_the_same_path),
		cmocka_unit_test(silence_at_the_end_is_not_drawn),
		cmocka_unit_test(sums_added_as_bytes_equal_a_merge),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
