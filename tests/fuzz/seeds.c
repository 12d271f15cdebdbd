/* SPDX-License-Identifier: ISC */
/*
 * Makes the binary seeds of tests/corpus again, after a format has changed:
 * `make tools && build/tests/fuzz/seeds tests/corpus`.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record/batch.h"
#include "lib/record/record.h"
#include "lib/spool/spool-format.h"
#include "tests/lib/record/result-fixture.h"

static const char *base;

static void seed_write(const char *parser, const char *name, struct buf *b)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s/%s", base, parser, name);
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(b->data, 1, b->len, f) != b->len || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
	buf_fini(b);
}

static void record_write_for(
    const char *parser, const char *name, Sonde__Record *record)
{
	struct buf b = { 0 };
	struct errmsg msg;
	record->wall_ns = 1790042345123456789;
	record->mono_ns = 123456789;
	if (record_pack(record, &b, &msg) != 0) {
		fprintf(stderr, "%s: %s\n", name, msg.text);
		exit(1);
	}
	seed_write(parser, name, &b);
}

static void record_write(const char *name, Sonde__Record *record)
{
	record_write_for("record", name, record);
}

static uint8_t octets[16] = { 192, 0, 2, 1 };

static void trace_write(void)
{
	Sonde__MplsEntry entry = SONDE__MPLS_ENTRY__INIT,
			 *entries[] = { &entry };
	Sonde__IcmpExtension extension = SONDE__ICMP_EXTENSION__INIT,
			     *extensions[] = { &extension };
	Sonde__Reply answer = SONDE__REPLY__INIT, silence = SONDE__REPLY__INIT;
	Sonde__Reply *replies[] = { &answer, &silence };
	Sonde__Trace trace = SONDE__TRACE__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	entry.label = 1000;
	extension.class_num = extension.c_type = 1;
	extension.n_mpls = 1;
	extension.mpls = entries;
	answer.from = (ProtobufCBinaryData){ 4, octets };
	REPLY_SET(&answer, RTT_NS, rtt_ns, 1500000);
	answer.tx_clock = SONDE__CLOCK__CLOCK_KERNEL_SOFTWARE;
	answer.n_extensions = 1;
	answer.extensions = extensions;
	silence.denied = (char *)"private";
	trace.src = trace.dst = answer.from;
	trace.method = (char *)"udp";
	trace.n_replies = 2;
	trace.replies = replies;
	record.campaign = (ProtobufCBinaryData){ 16, octets };
	record.body_case = SONDE__RECORD__BODY_TRACE;
	record.trace = &trace;
	record_write("trace", &record);
}

static void train_write(void)
{
	Sonde__Field fields[3], *list[3];
	Sonde__Train train = SONDE__TRAIN__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	for (size_t i = 0; i < 3; i++) {
		sonde__field__init(&fields[i]);
		fields[i].name = (char *)"name";
		list[i] = &fields[i];
	}
	fields[0].value_case = SONDE__FIELD__VALUE_NUMBER;
	fields[0].number = 0.5;
	fields[1].value_case = SONDE__FIELD__VALUE_TEXT;
	fields[1].text = (char *)"\xc3\xa9";
	train.n_fields = 3;
	train.fields = list;
	record.body_case = SONDE__RECORD__BODY_TRAIN;
	record.train = &train;
	record_write("train", &record);
}

static void gap_write(void)
{
	uint64_t more[] = { 1, 2, 3, 4 };
	Sonde__Gap gap = SONDE__GAP__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	gap.from_seq = 1;
	gap.to_seq = 9;
	gap.reason = (char *)"spool-full";
	gap.n_more = 4;
	gap.more = more;
	record.body_case = SONDE__RECORD__BODY_GAP;
	record.gap = &gap;
	record_write("gap", &record);
}

/* The schema of every type, one with a lie, a row that fits and one that does
 * not. */
static void result_write(void)
{
	struct result_fixture f;
	Sonde__Record schema = SONDE__RECORD__INIT, row = SONDE__RECORD__INIT;
	schema.body_case = SONDE__RECORD__BODY_RESULT_SCHEMA;
	schema.result_schema = &f.schema;
	row.body_case = SONDE__RECORD__BODY_RESULT;
	row.result = &f.row;
	result_fixture_init(&f);
	record_write("result_schema", &schema);
	record_write("result", &row);
	record_write_for("result_schema", "all-types", &schema);
	record_write_for("result_row", "all-types", &row);
	f.columns[1].low = (char *)"nowhere";
	record_write_for("result_schema", "no-interval", &schema);
	f.values[1].value_case = SONDE__VALUE__VALUE_TEXT;
	f.values[1].text = (char *)"0.25";
	record_write_for("result_row", "wrong-type", &row);
	result_fixture_init(&f);
	for (size_t i = 1; i < FIXTURE_COLUMNS; i++)
		f.cells[i].n_values = 0;
	record_write_for("result_row", "keys-alone", &row);
}

static void batch_write(void)
{
	uint8_t public_key[32], secret_key[64], seed[32] = { 1 };
	struct batch_header header = {
		.epoch = 1, .gap_from = 1, .first_seq = 1, .count = 3
	};
	struct buf raw = { 0 }, sealed = { 0 };
	for (uint32_t i = 0; i < 3; i++) {
		buf_be32(&raw, 20);
		buf_bytes(&raw, "the same words again", 20);
	}
	crypto_sign_seed_keypair(public_key, secret_key, seed);
	if (batch_seal(&sealed, &header, raw.data, raw.len, secret_key, NULL) !=
	    0)
		exit(1);
	seed_write("batch", "three", &sealed);
	buf_fini(&raw);
}

/* Three frames; damage: a byte that is turned over, or 0. */
static void segment_write(const char *name, size_t damage, size_t cut)
{
	const struct spool_name segment = { { 1, 1 }, SPOOL_RESULTS };
	const uint8_t agent[16] = { 9 };
	struct buf b = { 0 };
	spool_header_put(&b, agent, &segment);
	for (uint64_t seq = 1; seq <= 3; seq++)
		spool_frame_put(&b, spool_seed(agent, 1),
		    &(struct spool_frame){ SPOOL_RESULTS, 0, seq, { 1 }, { 2 },
			(const uint8_t *)"record", 6 });
	if (damage)
		b.data[damage] ^= 0xff;
	b.len -= cut;
	seed_write("spool", name, &b);
}

static void mark_write(void)
{
	struct buf b = { 0 };
	spool_mark_put(&b, (struct spool_place){ 1, 2 });
	seed_write("spool", "mark", &b);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: seeds tests/corpus\n");
		return 2;
	}
	base = argv[1];
	trace_write();
	train_write();
	gap_write();
	result_write();
	batch_write();
	segment_write("whole", 0, 0);
	segment_write("torn", 0, 9);
	segment_write("payload", SPOOL_HEADER_LEN + SPOOL_FRAME_HEAD, 0);
	segment_write("head", SPOOL_HEADER_LEN + 46 + 9, 0);
	segment_write("header", 20, 0);
	mark_write();
	return 0;
}
