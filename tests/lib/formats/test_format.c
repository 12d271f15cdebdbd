/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/formats/format.h"

static uint8_t us[] = { 192, 0, 2, 1 };
static uint8_t router[] = { 192, 0, 2, 254 };
static uint8_t target[] = { 198, 51, 100, 7 };
static char udp[] = "udp", completed[] = "completed", name[] = "=evil,\"x\"";

#define BYTES(a)             \
	{                    \
		sizeof(a), a \
	}

/* Three probes: a labelled router, silence, the target. */
struct sample {
	Sonde__MplsEntry label;
	Sonde__MplsEntry *labels[1];
	Sonde__IcmpExtension extension;
	Sonde__IcmpExtension *extensions[1];
	Sonde__Reply replies[3];
	Sonde__Reply *list[3];
	Sonde__Trace trace;
	Sonde__Record record;
};

static void sample_init(struct sample *s)
{
	s->label = (Sonde__MplsEntry)SONDE__MPLS_ENTRY__INIT;
	s->label.label = 16012;
	s->label.ttl = 1;
	s->labels[0] = &s->label;
	s->extension = (Sonde__IcmpExtension)SONDE__ICMP_EXTENSION__INIT;
	s->extension.n_mpls = 1;
	s->extension.mpls = s->labels;
	s->extensions[0] = &s->extension;
	for (int i = 0; i < 3; i++) {
		s->replies[i] = (Sonde__Reply)SONDE__REPLY__INIT;
		s->replies[i].probe_ttl = (uint32_t)i + 1;
		s->replies[i].attempt = 1;
		if (i != 1)
			REPLY_SET(&s->replies[i], RTT_NS, rtt_ns, 1500000);
		s->replies[i].tx_wall_ns = 1;
		s->list[i] = &s->replies[i];
	}
	s->replies[0].from = (ProtobufCBinaryData)BYTES(router);
	s->replies[0].n_extensions = 1;
	s->replies[0].extensions = s->extensions;
	s->replies[2].from = (ProtobufCBinaryData)BYTES(target);
	REPLY_SET(&s->replies[0], ICMP_TYPE, icmp_type, 11);
	REPLY_SET(&s->replies[2], ICMP_TYPE, icmp_type, 3);
	REPLY_SET(&s->replies[2], ICMP_CODE, icmp_code, 3);
	s->trace = (Sonde__Trace)SONDE__TRACE__INIT;
	s->trace.src = (ProtobufCBinaryData)BYTES(us);
	s->trace.dst = (ProtobufCBinaryData)BYTES(target);
	s->trace.method = udp;
	s->trace.stop_reason = completed;
	s->trace.n_replies = 3;
	s->trace.replies = s->list;
	s->record = (Sonde__Record)SONDE__RECORD__INIT;
	s->record.body_case = SONDE__RECORD__BODY_TRACE;
	s->record.trace = &s->trace;
}

static char *written(const char *format, const Sonde__Record *record)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	const struct format_ops *ops = format_find(format);
	void *ctx;
	struct errmsg msg;
	assert_non_null(ops);
	assert_int_equal(ops->open(&ctx, to, 0, &msg), 0);
	assert_int_equal(ops->item(ctx, record, &msg), 0);
	assert_int_equal(ops->close(ctx, &msg), 0);
	fclose(to);
	return text;
}

static void a_trace_reads_hop_by_hop(void **state)
{
	(void)state;
	struct sample s;
	sample_init(&s);
	char *text = written("text", &s.record);
	assert_string_equal(text,
	    "trace to 198.51.100.7 from 192.0.2.1, udp 0 > 0\n"
	    "   1  192.0.2.254        1.500 ms  MPLS 16012\n"
	    "   2  *\n"
	    "   3  198.51.100.7       1.500 ms\n"
	    "reached in 3 hops, 3 probes\n");
	free(text);
}

static void several_answers_take_several_lines(void **state)
{
	(void)state;
	struct sample s;
	sample_init(&s);
	char evil[] = "web\033[31m\302\2331m";
	s.trace.dst_name = evil;
	for (int i = 0; i < 3; i++)
		s.replies[i].probe_ttl = 1;
	char *text = written("text", &s.record);
	assert_string_equal(text,
	    "trace to web?[31m?1m (198.51.100.7) from 192.0.2.1, udp 0 > 0\n"
	    "   1  192.0.2.254        1.500 ms  MPLS 16012\n"
	    "      198.51.100.7       1.500 ms  1 of 3 lost or limited\n"
	    "reached in 1 hop, 3 probes\n");
	free(text);
}

/* Errors are limited, echo replies and segments seldom are. */
static void what_is_no_error_is_lost_and_not_limited(void **state)
{
	(void)state;
	struct sample s;
	sample_init(&s);
	for (int i = 0; i < 3; i++)
		s.replies[i].probe_ttl = 3;
	s.replies[0].from = s.replies[2].from;
	s.replies[0].icmp_type = s.replies[2].icmp_type = 0;
	char *text = written("text", &s.record);
	assert_non_null(strstr(text, "1 of 3 lost\n"));
	free(text);
}

static void a_length_that_is_not_known_is_not_claimed(void **state)
{
	(void)state;
	static char limited[] = "limited", echo_only[] = "echo-only";
	struct sample s;
	sample_init(&s);
	s.trace.stop_reason = limited;
	char *text = written("text", &s.record);
	assert_non_null(strstr(text, "\nreached in at most 3 hops, 3 probes"));
	free(text);
	s.replies[2].from.len = 0;
	text = written("text", &s.record);
	assert_non_null(strstr(text, "\nnot reached: its answers are limited"));
	free(text);
	s.trace.stop_reason = echo_only;
	text = written("text", &s.record);
	assert_non_null(
	    strstr(text, "\nnot reached: it answers echo requests alone, 3 "));
	free(text);
}

static void csv_has_a_row_a_probe_and_disarms_formulas(void **state)
{
	(void)state;
	struct sample s;
	sample_init(&s);
	s.trace.dst_name = name;
	s.trace.flow_id = 0x1a2b; /* 16 digits of hex, as in JSON */
	char *text = written("csv", &s.record);
	const char *row = strstr(text, "\r\n") + 2;
	assert_int_equal(strncmp(text, "kind,wall_ns,", 13), 0);
	assert_non_null(strstr(row,
	    "trace,0,192.0.2.1,198.51.100.7,\"'=evil,\"\"x\"\"\",udp,"
	    "0000000000001a2b,1,1,1,"
	    "192.0.2.254,1500000,,11,,,false,,hop,false,,,,,,\r\n"));
	assert_non_null(strstr(row, ",2,1,1,,,,,,,,,silent,,,,,,,\r\n"));
	free(text);
}

static void csv_refuses_a_second_layout(void **state)
{
	(void)state;
	struct sample s;
	sample_init(&s);
	Sonde__Sighting sighting = SONDE__SIGHTING__INIT;
	Sonde__Record other = SONDE__RECORD__INIT;
	other.body_case = SONDE__RECORD__BODY_SIGHTING;
	other.sighting = &sighting;
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	void *ctx;
	struct errmsg msg;
	format_csv.open(&ctx, to, 0, &msg);
	assert_int_equal(format_csv.item(ctx, &s.record, &msg), 0);
	assert_int_equal(format_csv.item(ctx, &other, &msg), ERR_UNSUPPORTED);
	format_csv.close(ctx, &msg);
	fclose(to);
	free(text);
}

/* Every value that the format could not quote, and a name that it must. */
static void csv_has_a_row_a_record_of_a_users_script(void **state)
{
	(void)state;
	char seq[] = "seq", note[] = "note", rtt[] = "rtt_ns", say[] = "=1,2";
	char script[] = "mine";
	Sonde__Field fields[3] = { SONDE__FIELD__INIT, SONDE__FIELD__INIT,
		SONDE__FIELD__INIT };
	Sonde__Field *all[] = { &fields[0], &fields[1], &fields[2] };
	Sonde__Train train = SONDE__TRAIN__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	fields[0].name = seq;
	fields[0].value_case = SONDE__FIELD__VALUE_INTEGER;
	fields[0].integer = -7;
	fields[1].name = note;
	fields[1].value_case = SONDE__FIELD__VALUE_TEXT;
	fields[1].text = say;
	fields[2].name = rtt;
	fields[2].value_case = SONDE__FIELD__VALUE_NUMBER;
	fields[2].number = 0.5;
	train.script = script;
	train.fields = all;
	train.n_fields = 2;
	record.body_case = SONDE__RECORD__BODY_TRAIN;
	record.train = &train;
	record.wall_ns = 9;

	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	void *ctx;
	struct errmsg msg;
	format_csv.open(&ctx, to, 0, &msg);
	assert_int_equal(format_csv.item(ctx, &record, &msg), 0);
	train.fields = all + 1; /* one field less: an empty cell */
	train.n_fields = 1;
	assert_int_equal(format_csv.item(ctx, &record, &msg), 0);
	train.n_fields = 2; /* one that has no column */
	assert_int_equal(format_csv.item(ctx, &record, &msg), ERR_UNSUPPORTED);
	assert_non_null(strstr(msg.text, "'rtt_ns'"));
	char other[] = "theirs";
	train.n_fields = 1;
	train.script = other;
	assert_int_equal(format_csv.item(ctx, &record, &msg), ERR_UNSUPPORTED);
	format_csv.close(ctx, &msg);
	fclose(to);
	assert_string_equal(text,
	    "script,wall_ns,seq,note\r\n"
	    "mine,9,-7,\"'=1,2\"\r\n"
	    "mine,9,,\"'=1,2\"\r\n");
	free(text);
}

static void warts_bounds_what_no_packet_holds(void **state)
{
	(void)state;
	struct sample s;
	sample_init(&s);
	Sonde__MplsEntry *many[20000];
	for (size_t i = 0; i < 20000; i++)
		many[i] = &s.label;
	s.extension.mpls = many;
	s.extension.n_mpls = 20000;
	s.replies[2].probe_ttl = 0; /* has no place */
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	void *ctx;
	struct errmsg msg;
	assert_int_equal(format_warts.open(&ctx, to, 0, &msg), 0);
	assert_int_equal(format_warts.item(ctx, &s.record, &msg), 0);
	assert_int_equal(format_warts.close(ctx, &msg), 0);
	fclose(to);
	/* Between the list, the cycle's start and its end. */
	enum { LIST = 8 + 15, START = 8 + 17, END = 8 + 9 };
	const uint8_t head[] = { 0x12, 0x05, 0, 6, 0, 0, 0,
		(uint8_t)(len - LIST - START - END - 8) };
	assert_in_range(len, LIST + START + END + 8, 255);
	assert_memory_equal(text + LIST + START, head, sizeof(head));
	free(text);
}

/* One record's answer to a probe that it says was denied: a reader counts. */
static void warts_counts_what_it_lists(void **state)
{
	(void)state;
	struct sample s;
	char denied[] = "private";
	size_t lens[2];
	static uint8_t six[16] = { 0x20, 1 };
	for (int i = 0; i < 2; i++) {
		sample_init(&s);
		s.replies[2].denied = denied;
		s.replies[1].from = (ProtobufCBinaryData)BYTES(six);
		if (i == 1)
			s.replies[1].from.len = s.replies[2].from.len = 0;
		char *text = NULL;
		FILE *to = open_memstream(&text, &lens[i]);
		void *ctx;
		struct errmsg msg;
		assert_int_equal(format_warts.open(&ctx, to, 0, &msg), 0);
		assert_int_equal(format_warts.item(ctx, &s.record, &msg), 0);
		assert_int_equal(format_warts.close(ctx, &msg), 0);
		fclose(to);
		free(text);
	}
	assert_int_equal(lens[0], lens[1]);
}

static void words_of_a_sighting_are_only_words(void **state)
{
	(void)state;
	Sonde__Sighting sighting = SONDE__SIGHTING__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	char verdict[] = "worm\n\033]0;", signature[] = "a,b\033[2J\"";
	record.body_case = SONDE__RECORD__BODY_SIGHTING;
	record.sighting = &sighting;
	sighting.verdict = verdict;
	sighting.signature = signature;
	sighting.proto = 17;
	char *text = written("text", &record);
	assert_string_equal(text,
	    "-                worm??]0;        a,b?[2J\"   udp port 0  0 "
	    "packets"
	    " to 0 targets\n");
	free(text);
	text = written("csv", &record);
	assert_non_null(
	    strstr(text, ",\"worm\n\033]0;\",\"a,b\033[2J\"\"\",17,0,"));
	free(text);
}

static void an_icmp_sighting_has_a_type_and_no_port(void **state)
{
	(void)state;
	Sonde__Sighting sighting = SONDE__SIGHTING__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	char verdict[] = "scan";
	record.body_case = SONDE__RECORD__BODY_SIGHTING;
	record.sighting = &sighting;
	sighting.verdict = verdict;
	sighting.proto = 58;
	sighting.dport = 128 << 8 | 1;
	sighting.packets = 2;
	sighting.targets = 1;
	char *text = written("text", &record);
	assert_string_equal(text,
	    "-                scan             -          icmp6 type 128/1"
	    "  2 packets to 1 target\n");
	free(text);
}

static void a_sighting_says_what_its_verdict_stands_on(void **state)
{
	(void)state;
	Sonde__Sighting s = SONDE__SIGHTING__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	uint8_t src[] = { 203, 0, 113, 1 }, victim[] = { 192, 0, 2, 66 };
	record.body_case = SONDE__RECORD__BODY_SIGHTING;
	record.sighting = &s;
	s.src = (ProtobufCBinaryData){ 4, src };
	s.verdict = (char *)"backscatter";
	s.proto = 6;
	s.dport = 80;
	s.packets = s.targets = 1;
	s.victim = (ProtobufCBinaryData){ 4, victim };
	SIGHTING_SET(&s, PORTS, ports, 300);
	SIGHTING_SET(&s, ODDS, odds, 4096);
	char *text = written("text", &record);
	assert_non_null(strstr(text,
	    "1 packet to 1 target, 300 ports, victim 192.0.2.66, innocent once "
	    "in 4096 at most\n"));
	free(text);
	s.victim = s.src;
	text = written("text", &record);
	assert_null(strstr(text, "victim"));
	free(text);
}

static void evidence_shows_its_rule_and_octets(void **state)
{
	(void)state;
	Sonde__Evidence e = SONDE__EVIDENCE__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	uint8_t src[] = { 203, 0, 113, 1 }, packet[] = { 0x45, 0, 0, 40 };
	record.body_case = SONDE__RECORD__BODY_EVIDENCE;
	record.evidence = &e;
	e.src = (ProtobufCBinaryData){ 4, src };
	e.verdict = (char *)"scan";
	e.rule = (char *)"failed\ncontacts";
	e.rule_version = 2;
	e.size_bytes = 40;
	e.packet = (ProtobufCBinaryData){ 4, packet };
	char *text = written("text", &record);
	assert_non_null(strstr(text,
	    "evidence 203.0.113.1 scan by failed?contacts 2: 40 bytes, "
	    "45000028\n"));
	free(text);
}

static void what_a_script_recorded_is_a_result(void **state)
{
	(void)state;
	Sonde__Field field = SONDE__FIELD__INIT, *fields[] = { &field };
	Sonde__Train train = SONDE__TRAIN__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	field.name = (char *)(uintptr_t) "hops";
	field.value_case = SONDE__FIELD__VALUE_INTEGER;
	field.integer = 7;
	train.script = (char *)(uintptr_t) "reach";
	train.fields = fields;
	train.n_fields = 1;
	record.body_case = SONDE__RECORD__BODY_TRAIN;
	record.train = &train;
	char *text = written("text", &record);
	assert_string_equal(text, "result reach  hops=7\n");
	free(text);
}

static void words_of_a_gap_are_only_words(void **state)
{
	(void)state;
	Sonde__Gap gap = SONDE__GAP__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	char reason[] = "\033c";
	record.body_case = SONDE__RECORD__BODY_GAP;
	record.gap = &gap;
	gap.reason = reason;
	char *text = written("text", &record);
	assert_string_equal(text, "gap 0 to 0: ?c\n");
	free(text);
}

static void a_method_is_one_cell(void **state)
{
	(void)state;
	struct sample s;
	sample_init(&s);
	char method[] = "=1,2";
	s.trace.method = method;
	char *text = written("csv", &s.record);
	assert_non_null(strstr(text, ",\"'=1,2\",0000000000000000,"));
	free(text);
}

static void kinds_are_kinds(const struct format_ops *ops, const char *words)
{
	for (const char *word = words; word && *word;) {
		size_t len = strcspn(word, ",");
		if (!record_kind_find(word, len))
			fail_msg("%s: no kind '%s'", ops->name, word);
		word += len + (word[len] == ',');
	}
}

static void a_format_says_what_it_holds(void **state)
{
	struct errmsg msg;
	(void)state;
	Sonde__Log log = SONDE__LOG__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	log.process = log.text = (char *)"";
	record.body_case = SONDE__RECORD__BODY_LOG;
	record.log = &log;
	for (size_t i = 0; formats[i]; i++) {
		const struct format_ops *ops = formats[i];
		char *text = NULL;
		size_t len = 0;
		void *ctx;
		FILE *to = open_memstream(&text, &len);
		assert_string_equal(ops->name, format_names[i]);
		assert_non_null(ops->media_type);
		assert_non_null(ops->extension);
		kinds_are_kinds(ops, ops->kinds);
		kinds_are_kinds(ops, ops->holds);
		assert_true((ops->kinds != NULL) == (ops->holds != NULL));
		assert_int_equal(ops->open(&ctx, to, 0, &msg), 0);
		int err = ops->item(ctx, &record, &msg);
		assert_int_equal(ops->close(ctx, &msg), 0);
		fclose(to);
		/* Only where every kind has a form does a log line have one. */
		if (ops->holds)
			assert_true(
			    err == FORMAT_SKIPPED || err == ERR_UNSUPPORTED);
		else
			assert_int_equal(err, 0);
		assert_true((len == 0) == (ops->holds != NULL));
		free(text);
	}
	assert_null(format_names[6]);
	assert_null(format_find("pcap"));
}

/* A ping of six: answered, late, from another address, perhaps another's,
 * rejected too late, and not sent. */
struct ends {
	Sonde__Reply replies[6];
	Sonde__Reply *list[6];
	Sonde__Ping ping;
	Sonde__Record record;
};
static uint8_t other[] = { 198, 51, 100, 8 };
static char icmp[] = "icmp", down[] = "network is down";

static void ends_init(struct ends *e)
{
	static const Sonde__Outcome outcomes[6] = {
		SONDE__OUTCOME__OUTCOME_ANSWERED, SONDE__OUTCOME__OUTCOME_LATE,
		SONDE__OUTCOME__OUTCOME_OTHER_ADDRESS,
		SONDE__OUTCOME__OUTCOME_AMBIGUOUS,
		SONDE__OUTCOME__OUTCOME_REJECTED,
		SONDE__OUTCOME__OUTCOME_NOT_SENT
	};
	for (int i = 0; i < 6; i++) {
		Sonde__Reply *r = e->list[i] = &e->replies[i];
		*r = (Sonde__Reply)SONDE__REPLY__INIT;
		r->probe_ttl = 64;
		r->attempt = (uint32_t)i + 1;
		r->outcome = outcomes[i];
		if (i == 5)
			continue;
		r->tx_wall_ns = 1000000000;
		r->from = (ProtobufCBinaryData)BYTES(target);
		if (i != 3)
			REPLY_SET(
			    r, RTT_NS, rtt_ns, (uint64_t)(i + 1) * 1000000);
		REPLY_SET(r, ICMP_TYPE, icmp_type, i == 4 ? 3 : 0);
		REPLY_SET(r, ICMP_CODE, icmp_code, i == 4 ? 10 : 0);
		r->late = i == 1 || i == 4;
	}
	e->replies[2].from = (ProtobufCBinaryData)BYTES(other);
	e->replies[4].from = (ProtobufCBinaryData)BYTES(router);
	e->replies[5].error = down;
	e->ping = (Sonde__Ping)SONDE__PING__INIT;
	e->ping.src = (ProtobufCBinaryData)BYTES(us);
	e->ping.dst = (ProtobufCBinaryData)BYTES(target);
	e->ping.method = icmp;
	e->ping.sent = 5;
	e->ping.received = e->ping.late = e->ping.other_address = 1;
	e->ping.ambiguous = e->ping.rejected = e->ping.not_sent = 1;
	e->ping.error = down;
	e->ping.wait_ns = 1500000000;
	e->ping.n_replies = 6;
	e->ping.replies = e->list;
	e->record = (Sonde__Record)SONDE__RECORD__INIT;
	e->record.body_case = SONDE__RECORD__BODY_PING;
	e->record.ping = &e->ping;
}

static void expect_parts(
    const char *format, const Sonde__Record *record, const char *const *parts)
{
	char *text = written(format, record);
	for (; *parts; parts++) {
		if (!strstr(text, *parts))
			print_error("no %s in %s\n", *parts, text);
		assert_non_null(strstr(text, *parts));
	}
	free(text);
}

static void text_says_how_each_probe_ended(void **state)
{
	(void)state;
	struct ends e;
	ends_init(&e);
	static const char *const parts[] = { "   1     1.000 ms\n",
		"   2     2.000 ms  late\n",
		"   3     3.000 ms  from another address, 198.51.100.8\n",
		"   4  a reply that may be another probe's\n",
		"host prohibited, from 192.0.2.254  late\n",
		"   6  not sent: network is down\n",
		"5 sent, 1 received, 40 % lost, 1 late, 1 rejected, "
		"1 from another address, 1 ambiguous, 1 not sent "
		"(network is down)\n",
		NULL };
	expect_parts("text", &e.record, parts);
}

/* Two replies with a time; what is late is silent, and what is ambiguous or
 * was not sent has no time. */
static void other_tools_forms_have_what_they_can(void **state)
{
	(void)state;
	struct ends e;
	ends_init(&e);
	static const char *const scamper[] = { "\"timeout\":2",
		"\"responses\":[{\"from\":\"198.51.100.7\",\"seq\":0,",
		"{\"from\":\"198.51.100.8\",\"seq\":2,",
		"\"no_responses\":[{\"seq\":1,", "{\"seq\":3,", "{\"seq\":4,",
		"\"statistics\":{\"replies\":2,\"loss\":0.4,\"min\":1.0,"
		"\"max\":3.0,\"avg\":2.0,\"stddev\":1.0}",
		NULL };
	expect_parts("scamper", &e.record, scamper);
	static const char *const atlas[] = { "\"sent\":5", "\"rcvd\":2",
		"\"min\":1.0,\"avg\":2.0,\"max\":3.0",
		"\"result\":[{\"rtt\":1.0},{\"x\":\"*\"},"
		"{\"rtt\":3.0,\"src_addr\":\"198.51.100.8\"},{\"x\":\"*\"},"
		"{\"error\":\"host prohibited (from 192.0.2.254)\"},"
		"{\"error\":\"network is down\"}]",
		NULL };
	expect_parts("atlas", &e.record, atlas);
	static const char *const csv[] = { ",answered,false,", ",late,true,",
		"198.51.100.8,3000000,", ",ambiguous,false,", ",rejected,true,",
		",not-sent,,,,,network is down,,\r\n", NULL };
	expect_parts("csv", &e.record, csv);
}

static void a_late_hop_is_silence_and_a_late_reply_to_atlas(void **state)
{
	(void)state;
	struct sample s;
	sample_init(&s);
	s.replies[0].late = true;
	s.replies[0].outcome = SONDE__OUTCOME__OUTCOME_HOP;
	s.replies[2].outcome = SONDE__OUTCOME__OUTCOME_AMBIGUOUS;
	static const char *const parts[] = {
		"{\"hop\":1,\"result\":[{\"x\":\"*\"},"
		"{\"from\":\"192.0.2.254\",\"late\":1,",
		"{\"hop\":3,\"result\":[{\"x\":\"*\"}]}", NULL
	};
	expect_parts("atlas", &s.record, parts);
	static const char *const text[] = { "  MPLS 16012", "  late",
		"  answers a probe to this or another hop\n", NULL };
	expect_parts("text", &s.record, text);
}

/* Shown hop by hop or at once, it is the same text. */
static void hops_that_were_shown_are_not_repeated(void **state)
{
	(void)state;
	struct sample s;
	sample_init(&s);
	char *whole = written("text", &s.record), *text = NULL;
	size_t len = 0;
	for (size_t parts = 1; parts <= 3; parts++) {
		FILE *to = open_memstream(&text, &len);
		void *ctx;
		struct errmsg msg;
		assert_int_equal(format_text.open(&ctx, to, 0, &msg), 0);
		for (size_t i = 1; i <= parts; i++) {
			s.trace.n_replies = i;
			s.trace.max_ttl = (uint32_t)i;
			assert_int_equal(
			    format_text.preview(ctx, &s.record, &msg), 0);
		}
		s.trace.n_replies = 3;
		assert_int_equal(format_text.item(ctx, &s.record, &msg), 0);
		fflush(to);
		assert_string_equal(text, whole);
		/* And the next trace begins anew. */
		assert_int_equal(format_text.item(ctx, &s.record, &msg), 0);
		assert_int_equal(format_text.close(ctx, &msg), 0);
		fclose(to);
		assert_int_equal(len, 2 * strlen(whole) + 1);
		free(text);
	}
	free(whole);
}

static void a_hop_whose_reply_comes_late_is_shown_again(void **state)
{
	(void)state;
	struct sample s;
	sample_init(&s);
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	void *ctx;
	struct errmsg msg;
	format_text.open(&ctx, to, 0, &msg);
	s.trace.max_ttl = 3;
	assert_int_equal(format_text.preview(ctx, &s.record, &msg), 0);
	fflush(to);
	size_t shown = len;
	s.replies[1].from = s.replies[0].from;
	s.replies[1].late = true;
	s.replies[1].outcome = SONDE__OUTCOME__OUTCOME_HOP;
	assert_int_equal(format_text.item(ctx, &s.record, &msg), 0);
	assert_int_equal(format_text.close(ctx, &msg), 0);
	fclose(to);
	assert_int_equal(strncmp(text + shown, "   2  192.0.2.254", 17), 0);
	assert_non_null(strstr(text + shown, "  late\n"));
	assert_null(strstr(text + shown, "   1  "));
	assert_null(strstr(text + shown, "   3  "));
	free(text);
}

/* Those behind the last one to show only tell what its losses mean. */
static void a_hop_is_shown_with_what_is_known_behind_it(void **state)
{
	(void)state;
	struct sample s;
	sample_init(&s);
	s.replies[1].probe_ttl = 1;
	s.replies[2].probe_ttl = 2;
	s.trace.max_ttl = 1;
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	void *ctx;
	struct errmsg msg;
	format_text.open(&ctx, to, 0, &msg);
	assert_int_equal(format_text.preview(ctx, &s.record, &msg), 0);
	assert_int_equal(format_text.close(ctx, &msg), 0);
	fclose(to);
	assert_non_null(strstr(text, "  answers 1 of 2\n"));
	assert_null(strstr(text, "   2  "));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hops_that_were_shown_are_not_repeated),
		cmocka_unit_test(a_hop_is_shown_with_what_is_known_behind_it),
		cmocka_unit_test(a_hop_whose_reply_comes_late_is_shown_again),
		cmocka_unit_test(text_says_how_each_probe_ended),
		cmocka_unit_test(other_tools_forms_have_what_they_can),
		cmocka_unit_test(
		    a_late_hop_is_silence_and_a_late_reply_to_atlas),
		cmocka_unit_test(a_trace_reads_hop_by_hop),
		cmocka_unit_test(several_answers_take_several_lines),
		cmocka_unit_test(what_is_no_error_is_lost_and_not_limited),
		cmocka_unit_test(a_length_that_is_not_known_is_not_claimed),
		cmocka_unit_test(csv_has_a_row_a_probe_and_disarms_formulas),
		cmocka_unit_test(csv_refuses_a_second_layout),
		cmocka_unit_test(csv_has_a_row_a_record_of_a_users_script),
		cmocka_unit_test(warts_bounds_what_no_packet_holds),
		cmocka_unit_test(warts_counts_what_it_lists),
		cmocka_unit_test(words_of_a_sighting_are_only_words),
		cmocka_unit_test(an_icmp_sighting_has_a_type_and_no_port),
		cmocka_unit_test(a_sighting_says_what_its_verdict_stands_on),
		cmocka_unit_test(evidence_shows_its_rule_and_octets),
		cmocka_unit_test(what_a_script_recorded_is_a_result),
		cmocka_unit_test(words_of_a_gap_are_only_words),
		cmocka_unit_test(a_method_is_one_cell),
		cmocka_unit_test(a_format_says_what_it_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
