/* SPDX-License-Identifier: ISC */
/* What a test script needs from an agent and cannot compute itself: keys,
 * signatures, batches, good ones and wrong ones.  No network here; the script
 * sends what this prints. */

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "lib/option/option.h"
#include "lib/base/xalloc.h"
#include "tests/web/synth.h"

static const struct option_row rows[] = {
	{ .name = "key",
	    .letter = 'k',
	    .type = OPTION_TEXT,
	    .argument = "FILE",
	    .help = "the agent's secret key" },
	{ .name = "epoch",
	    .type = OPTION_INTEGER,
	    .argument = "N",
	    .min = 1,
	    .max = 1e15,
	    .fallback = "1",
	    .help = "of the batch" },
	{ .name = "first",
	    .type = OPTION_INTEGER,
	    .argument = "SEQ",
	    .min = 1,
	    .max = 1e15,
	    .fallback = "1",
	    .help = "its first sequence number" },
	{ .name = "gap-from",
	    .type = OPTION_INTEGER,
	    .argument = "SEQ",
	    .min = 1,
	    .max = 1e15,
	    .help = "records from here to the first are declared lost" },
	{ .name = "count",
	    .type = OPTION_INTEGER,
	    .argument = "N",
	    .min = 1,
	    .max = 65536,
	    .fallback = "10",
	    .help = "how many records" },
	{ .name = "kind",
	    .type = OPTION_CHOICE,
	    .choices = "ping|log|sighting",
	    .fallback = "log",
	    .help = "of what kind" },
	{ .name = "salt",
	    .type = OPTION_TEXT,
	    .argument = "TEXT",
	    .fallback = "",
	    .help = "goes into each record" },
	{ .name = "wrong",
	    .type = OPTION_CHOICE,
	    .choices = "record|bomb|key",
	    .help = "what is wrong although the signature is right: a record "
		    "that is none, a bomb; or signed by another key" },
	{ 0 },
};

static const struct option_table table = {
	.program = "agent-tool",
	.synopsis = "new | enrol TOKEN NAME | work TIME_NS TARGET | batch",
	.summary = "make what an agent sends",
	.examples = "agent-tool -k key new\n"
		    "agent-tool -k key enrol TOKEN NAME >body.json\n"
		    "agent-tool -k key work TIME_NS /api/v1/work?after=0\n"
		    "agent-tool -k key --first 11 --count 10 batch >body",
	.rows = rows,
	.operands_min = 1,
	.operands_max = 3,
};

static void add_record(
    struct synth *agent, const char *kind, uint64_t seq, const char *salt)
{
	static uint8_t here[] = { 192, 0, 2, 1 }, there[] = { 198, 51, 100, 7 };
	static uint8_t campaign[16] = { 1 };
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Log log = SONDE__LOG__INIT;
	Sonde__Ping ping = SONDE__PING__INIT;
	Sonde__Sighting sighting = SONDE__SIGHTING__INIT;
	char *text = xasprintf("record %llu %s", (unsigned long long)seq, salt);
	record_stamp(&record);
	if (strcmp(kind, "ping") == 0) {
		record.body_case = SONDE__RECORD__BODY_PING;
		record.ping = &ping;
		record.campaign.data = campaign;
		record.campaign.len = 16;
		record.run = seq;
		ping.src = (ProtobufCBinaryData){ 4, here };
		ping.dst = (ProtobufCBinaryData){ 4, there };
		ping.dst_name = text;
		ping.method = (char *)(uintptr_t) "icmp";
		ping.sent = ping.received = 1;
		PING_SET(&ping, RTT_MIN_NS, rtt_min_ns, 1000000);
		PING_SET(&ping, RTT_AVG_NS, rtt_avg_ns, 1000000);
		PING_SET(&ping, RTT_MAX_NS, rtt_max_ns, 1000000);
	} else if (strcmp(kind, "sighting") == 0) {
		record.body_case = SONDE__RECORD__BODY_SIGHTING;
		record.sighting = &sighting;
		uint8_t src[4] = { 203, 0, 113, (uint8_t)seq };
		sighting.src = (ProtobufCBinaryData){ 4, src };
		sighting.verdict = (char *)(uintptr_t) "worm";
		sighting.signature = (char *)(uintptr_t) "slammer";
		sighting.proto = 17;
		sighting.dport = 1434;
		sighting.packets = 3;
		sighting.targets = 3;
		sighting.interval_s = 60;
		sighting.first_wall_ns = sighting.last_wall_ns = record.wall_ns;
		synth_add(agent, &record);
		free(text);
		return;
	} else {
		record.body_case = SONDE__RECORD__BODY_LOG;
		record.log = &log;
		log.level = 2;
		log.process = (char *)(uintptr_t) "test";
		log.text = text;
	}
	/* The same bytes for the same number and salt: retries are equal. */
	record.wall_ns -= record.wall_ns % INT64_C(86400000000000);
	record.mono_ns = (int64_t)seq;
	synth_add(agent, &record);
	free(text);
}

/* A header whose signature is right over bytes that unpack to far more. */
static void make_bomb(struct buf *to, const struct synth *agent, uint64_t first)
{
	enum { BOMB = 256 << 20, SAYS = 1 << 20 };
	uint8_t *zeros = xcalloc(1, BOMB);
	size_t bound = ZSTD_compressBound(BOMB);
	uint8_t *packed = xmalloc(bound), digest[32];
	size_t len = ZSTD_compress(packed, bound, zeros, BOMB, 3);
	crypto_generichash(digest, sizeof(digest), zeros, SAYS, NULL, 0);
	buf_bytes(to, "SNDB\1\1\0", 8);
	buf_bytes(to, agent->id, sizeof(agent->id));
	buf_be64(to, agent->epoch);
	buf_be64(to, first);
	buf_be64(to, first);
	buf_be32(to, 1);
	buf_be32(to, SAYS);
	buf_be32(to, (uint32_t)len);
	buf_bytes(to, digest, sizeof(digest));
	uint8_t signature[crypto_sign_BYTES];
	crypto_sign_detached(signature, NULL, to->data, to->len, agent->secret);
	buf_bytes(to, signature, sizeof(signature));
	buf_bytes(to, packed, len);
	free(zeros);
	free(packed);
}

static int make_batch(struct synth *agent, const struct option_values *values)
{
	const char *wrong = option_text(values, "wrong");
	uint64_t first = (uint64_t)option_integer(values, "first");
	uint64_t count = (uint64_t)option_integer(values, "count");
	struct batch_header header = { .first_seq = first,
		.gap_from = first,
		.count = (uint32_t)count,
		.epoch = (uint64_t)option_integer(values, "epoch") };
	struct errmsg msg;
	struct buf out = { 0 };
	agent->epoch = header.epoch;
	if (option_given(values, "gap-from"))
		header.gap_from = (uint64_t)option_integer(values, "gap-from");
	memcpy(header.agent, agent->id, sizeof(agent->id));
	for (uint64_t i = 0; i < count; i++)
		add_record(agent, option_text(values, "kind"), first + i,
		    option_text(values, "salt"));
	if (wrong && strcmp(wrong, "record") == 0)
		memset(agent->raw.data + 4, 0xff, 4);
	if (wrong && strcmp(wrong, "key") == 0)
		crypto_sign_keypair(agent->public, agent->secret);
	if (wrong && strcmp(wrong, "bomb") == 0) {
		make_bomb(&out, agent, first);
	} else if (batch_seal(&out, &header, agent->raw.data, agent->raw.len,
		       agent->secret, &msg) != 0) {
		fprintf(stderr, "agent-tool: %s\n", msg.text);
		return 1;
	}
	size_t n = fwrite(out.data, 1, out.len, stdout);
	int result = n == out.len && fflush(stdout) == 0 ? 0 : 74;
	buf_fini(&out);
	return result;
}

static int run(struct synth *agent, const struct option_values *values)
{
	const char *const *words;
	size_t count = option_operands(values, &words);
	if (strcmp(words[0], "batch") == 0)
		return make_batch(agent, values);
	if (strcmp(words[0], "enrol") == 0 && count == 3) {
		json_t *body = synth_enrol_body(agent, words[1], words[2]);
		json_dumpf(body, stdout, JSON_COMPACT);
		json_decref(body);
		return 0;
	}
	if (strcmp(words[0], "work") == 0 && count == 3) {
		char id[33], signature[129];
		synth_hex(id, agent->id, sizeof(agent->id));
		synth_sign_work(agent, words[1], words[2], signature);
		printf("Sonde-Agent: %s\nSonde-Time: %s\n"
		       "Sonde-Signature: %s\n",
		    id, words[1], signature);
		return 0;
	}
	fprintf(stderr, "agent-tool: unknown word '%s'\n", words[0]);
	return 2;
}

int main(int argc, char **argv)
{
	struct option_values *values;
	struct errmsg msg;
	struct synth agent;
	if (option_parse(&values, &table, argc, argv, &msg) != 0) {
		fprintf(stderr, "agent-tool: %s\n", msg.text);
		return 2;
	}
	if (option_help_asked(values)) {
		char *help = option_help_text(&table);
		fputs(help, stdout);
		free(help);
		option_free(values);
		return 0;
	}
	const char *const *words, *key = option_text(values, "key");
	option_operands(values, &words);
	int result = 2;
	if (!key) {
		fprintf(stderr, "agent-tool: --key is needed\n");
	} else if (strcmp(words[0], "new") == 0) {
		synth_new(&agent);
		result = synth_save(&agent, key) == 0 ? 0 : 74;
		synth_fini(&agent);
	} else if (synth_load(&agent, key) != 0) {
		fprintf(stderr, "agent-tool: cannot read key '%s'\n", key);
	} else {
		result = run(&agent, values);
		synth_fini(&agent);
	}
	option_free(values);
	return result;
}
