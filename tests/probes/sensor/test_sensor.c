/* SPDX-License-Identifier: ISC */
/* The agent's sensor, from a capture file to the records that it writes. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sodium.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/reader.h"
#include "lib/record/record.h"
#include "lib/sketch/census.h"
#include "probes/ipc/counters.h"
#include "probes/sensor/sensor.h"
#include "tests/lib/packet/frames.h"

#define RECORDS_MAX 64

struct outcome {
	Sonde__Record *records[RECORDS_MAX];
	size_t count;
	Sonde__Record *spans[RECORDS_MAX]; /* of coverage */
	size_t span_count;
	Sonde__Record *evidence[RECORDS_MAX];
	size_t evidence_count;
	struct counters *counters;
	struct errmsg msg;
	int err;
};

static void le32(struct buf *b, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		buf_u8(b, (uint8_t)(v >> (8 * i)));
}

static struct buf capture_of(const struct frame *frames, size_t count)
{
	struct buf b = { 0 }, frame = { 0 };
	static const uint32_t head[] = { 0xa1b2c3d4, 0x00040002, 0, 0, 65535,
		101 };
	for (size_t i = 0; i < 6; i++)
		le32(&b, head[i]);
	for (size_t i = 0; i < count; i++) {
		buf_clear(&frame);
		frame_put(&frame, &frames[i]);
		le32(&b, 1700000000 + (uint32_t)i);
		le32(&b, 500000);
		le32(&b, (uint32_t)frame.len);
		le32(&b, (uint32_t)frame.len);
		buf_bytes(&b, frame.data, frame.len);
	}
	buf_fini(&frame);
	return b;
}

static void write_file(char *path, const struct buf *b)
{
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, b->data, b->len), b->len);
	close(fd);
}

static void read_records(struct outcome *o, int fd)
{
	struct buf b = { 0 };
	ssize_t n;
	while ((n = read(fd, buf_extend(&b, 4096), 4096)) > 0)
		b.len -= 4096 - (size_t)n;
	b.len -= 4096;
	struct reader r = reader_init(b.data, b.len);
	while (reader_left(&r) > 0) {
		uint32_t len = reader_be32(&r);
		const uint8_t *bytes = reader_bytes(&r, len);
		assert_non_null(bytes);
		assert_true(o->count < RECORDS_MAX);
		assert_true(o->span_count < RECORDS_MAX);
		Sonde__Record *record;
		assert_int_equal(
		    record_unpack(&record, bytes, len, &o->msg), 0);
		if (record->body_case == SONDE__RECORD__BODY_COVERAGE)
			o->spans[o->span_count++] = record;
		else if (record->body_case == SONDE__RECORD__BODY_EVIDENCE)
			o->evidence[o->evidence_count++] = record;
		else
			o->records[o->count++] = record;
	}
	buf_fini(&b);
}

static struct outcome run_with(
    const struct frame *frames, size_t count, uint32_t max_sources)
{
	struct outcome o = { .counters = counters_new() };
	struct sensor_capture *capture;
	char path[] = "/tmp/sonde-test-XXXXXX";
	struct buf b = capture_of(frames, count);
	int ends[2];
	write_file(path, &b);
	char *name = NULL;
	assert_true(asprintf(&name, "file:%s", path) > 0);
	assert_int_equal(sensor_open(&capture,
			     &(struct sensor_opening){
				 .interfaces = (const char *const[]){ name },
				 .interface_count = 1,
				 .places_fd = -1,
				 .feed_fd = -1 },
			     &o.msg),
	    0);
	assert_int_equal(pipe(ends), 0);
	o.err = sensor_run(capture,
	    &(struct sensor_config){ .record_fd = ends[1],
		.counters = o.counters,
		.max_sources = max_sources },
	    &o.msg);
	close(ends[1]);
	read_records(&o, ends[0]);
	close(ends[0]);
	sensor_close(capture);
	unlink(path);
	free(name);
	buf_fini(&b);
	return o;
}

static struct outcome run(const struct frame *frames, size_t count)
{
	return run_with(frames, count, 0);
}

static void outcome_fini(struct outcome *o)
{
	for (size_t i = 0; i < o->count; i++)
		record_free(o->records[i]);
	for (size_t i = 0; i < o->span_count; i++)
		record_free(o->spans[i]);
	for (size_t i = 0; i < o->evidence_count; i++)
		record_free(o->evidence[i]);
	counters_free(o->counters);
}

static uint64_t counter(const struct outcome *o, const char *name)
{
	char got[COUNTERS_NAME_LEN];
	uint64_t value;
	for (size_t i = 0; counters_get(o->counters, i, got, &value); i++)
		if (strcmp(got, name) == 0)
			return value;
	fail_msg("no counter %s", name);
	return 0;
}

static void a_worm_is_a_sighting_at_once_and_then_its_minute(void **state)
{
	(void)state;
	uint8_t payload[376];
	frame_slammer(payload, sizeof(payload));
	struct frame frames[3];
	for (int i = 0; i < 3; i++)
		frames[i] = (struct frame){ .src = "203.0.113.9",
			.dst = i == 2 ? "198.51.100.8" : "198.51.100.7",
			.proto = PACKET_UDP,
			.dport = 1434,
			.ttl = 113,
			.payload = payload,
			.payload_len = sizeof(payload) };
	struct outcome o = run(frames, 3);
	assert_int_equal(o.err, 0);
	assert_int_equal(o.count, 3);
	const Sonde__Sighting *first = o.records[0]->sighting;
	assert_int_equal(o.records[0]->body_case, SONDE__RECORD__BODY_SIGHTING);
	assert_string_equal(first->signature, "slammer");
	assert_int_equal(first->packets, 1);
	assert_int_equal(first->targets, 1);
	assert_int_equal(first->last_wall_ns, INT64_C(1700000000500000000));
	const Sonde__Payload *p = o.records[1]->payload;
	assert_int_equal(o.records[1]->body_case, SONDE__RECORD__BODY_PAYLOAD);
	assert_int_equal(p->octets.len, 376);
	assert_memory_equal(p->octets.data, payload, 376);
	uint8_t sha256[crypto_hash_sha256_BYTES];
	crypto_hash_sha256(sha256, payload, sizeof(payload));
	assert_int_equal(p->sha256.len, sizeof(sha256));
	assert_memory_equal(p->sha256.data, sha256, sizeof(sha256));
	const Sonde__Sighting *s = o.records[2]->sighting;
	assert_int_equal(o.records[2]->body_case, SONDE__RECORD__BODY_SIGHTING);
	assert_int_equal(s->src.len, 4);
	assert_memory_equal(s->src.data, "\xcb\x00\x71\x09", 4);
	assert_string_equal(s->verdict, "worm");
	assert_string_equal(s->signature, "slammer");
	assert_int_equal(s->proto, 17);
	assert_int_equal(s->dport, 1434);
	assert_int_equal(s->packets, 2);
	assert_int_equal(s->size_bytes, 2 * 404);
	assert_int_equal(s->targets, 2);
	assert_int_equal(s->ttl_min, 113);
	assert_int_equal(s->interval_s, 60);
	assert_int_equal(s->first_wall_ns, INT64_C(1700000001500000000));
	assert_int_equal(s->last_wall_ns, INT64_C(1700000002500000000));
	assert_memory_equal(s->payload_hash.data, p->hash.data, 16);
	assert_int_equal(counter(&o, "sensor.captured"), 3);
	assert_int_equal(counter(&o, "sensor.decoded"), 3);
	assert_int_equal(counter(&o, "sensor.sightings"), 2);
	assert_int_equal(counter(&o, "sensor.first_sightings"), 1);
	assert_int_equal(counter(&o, "sensor.first_deferred"), 0);
	assert_int_equal(counter(&o, "sensor.payloads"), 1);
	outcome_fini(&o);
}

static void each_port_has_a_sighting_of_its_own(void **state)
{
	(void)state;
	struct frame frames[4];
	for (int i = 0; i < 4; i++)
		frames[i] = (struct frame){ .src = "203.0.113.9",
			.dst = "198.51.100.7",
			.proto = PACKET_TCP,
			.dport = (uint16_t)(i / 2 + 23),
			.seq = 0xc6336407 };
	struct outcome o = run(frames, 4);
	assert_int_equal(o.count, 3); /* one is the first of both */
	uint64_t packets[2] = { 0 };
	for (size_t i = 0; i < 3; i++) {
		const Sonde__Sighting *s = o.records[i]->sighting;
		assert_string_equal(s->signature, "mirai");
		assert_in_range(s->dport, 23, 24);
		packets[s->dport - 23] += s->packets;
	}
	assert_int_equal(packets[0], 2);
	assert_int_equal(packets[1], 2);
	outcome_fini(&o);
}

static void what_a_full_table_evicts_is_summed_up(void **state)
{
	(void)state;
	enum { SOURCES = 150, MOST = 10 };
	static char sources[SOURCES][32];
	static struct frame frames[SOURCES];
	for (int i = 0; i < SOURCES; i++) {
		snprintf(sources[i], sizeof(sources[i]), "203.0.113.%d", i);
		frames[i] = (struct frame){ .src = sources[i],
			.dst = "198.51.100.7",
			.proto = PACKET_UDP,
			.dport = 5060 };
	}
	struct outcome o = run_with(frames, SOURCES, MOST);
	assert_int_equal(o.count, MOST + 1);
	uint64_t packets = 0;
	for (size_t i = 0; i < o.count; i++)
		packets += o.records[i]->sighting->packets;
	assert_int_equal(packets, SOURCES);
	const Sonde__Sighting *s = o.records[MOST]->sighting;
	assert_int_equal(s->src.len, 0);
	assert_int_equal(s->sources, SOURCES - MOST);
	assert_int_equal(s->packets, SOURCES - MOST);
	assert_string_equal(s->verdict, "probe");
	assert_int_equal(s->dport, 5060);
	assert_int_equal(counter(&o, "sensor.aggregated"), SOURCES - MOST);
	assert_int_equal(counter(&o, "sensor.sightings"), MOST + 1);
	outcome_fini(&o);
}

static void icmp_shows_type_and_code_as_port(void **state)
{
	(void)state;
	struct frame f = { .src = "2001:db8::9",
		.dst = "2001:db8::1",
		.proto = PACKET_ICMP6,
		.icmp_type = 1,
		.icmp_code = 4 };
	struct outcome o = run(&f, 1);
	assert_int_equal(o.count, 1);
	assert_int_equal(o.records[0]->sighting->src.len, 16);
	assert_int_equal(o.records[0]->sighting->dport, 1 << 8 | 4);
	assert_string_equal(o.records[0]->sighting->verdict, "backscatter");
	outcome_fini(&o);
}

/* Targets of several ports and sets, by what travels. */
static uint32_t joined_targets(const struct outcome *o)
{
	struct census all = { { 0 } }, one;
	enum distinct_quality quality;
	for (size_t i = 0; i < o->count; i++) {
		const Sonde__Sighting *s = o->records[i]->sighting;
		assert_true(census_read(&one, s->census.data, s->census.len));
		assert_int_equal(census_count(&one, &quality), s->targets);
		census_join(&all, &one);
	}
	return census_count(&all, &quality);
}

/* Three addresses, and the same from another process with another secret. */
static void targets_of_two_runs_join(void **state)
{
	(void)state;
	static const char *const dsts[] = { "198.51.100.1", "198.51.100.2",
		"198.51.100.3" };
	struct frame frames[6];
	for (int i = 0; i < 6; i++)
		frames[i] = (struct frame){ .src = "203.0.113.9",
			.dst = dsts[i % 3],
			.proto = PACKET_TCP,
			.seq = 7u + (uint32_t)i,
			.dport = (uint16_t)(80 + i / 3) };
	struct outcome a = run(frames, 6), b = run(frames, 6);
	assert_int_equal(a.count, 2);
	assert_int_equal(joined_targets(&a), 3);
	for (size_t i = 0; i < b.count && a.count < RECORDS_MAX; i++)
		a.records[a.count++] = b.records[i];
	b.count = 0;
	assert_int_equal(joined_targets(&a), 3);
	outcome_fini(&a);
	outcome_fini(&b);
}

/* Neighbours differ in few bits, and their hashes in all. */
static void neighbours_are_counted_within_four_errors(void **state)
{
	(void)state;
	enum { NEIGHBOURS = 2000 };
	static char dsts[NEIGHBOURS][ADDR_TEXT_LEN];
	static struct frame frames[NEIGHBOURS];
	for (uint32_t i = 0; i < NEIGHBOURS; i++) {
		struct addr dst = addr_v4(0xc6330000 + i);
		addr_text(&dst, dsts[i]);
		frames[i] = (struct frame){ .src = "203.0.113.9",
			.dst = dsts[i],
			.proto = PACKET_TCP,
			.dport = 80 };
	}
	struct outcome o = run(frames, NEIGHBOURS);
	struct census census;
	enum distinct_quality quality;
	assert_int_equal(o.count, 1);
	const Sonde__Sighting *s = o.records[0]->sighting;
	assert_in_range(s->targets, NEIGHBOURS * 0.87, NEIGHBOURS * 1.13);
	assert_true(census_read(&census, s->census.data, s->census.len));
	assert_in_range(census_count(&census, &quality), NEIGHBOURS * 0.63,
	    NEIGHBOURS * 1.37);
	outcome_fini(&o);
}

static void the_first_packet_of_a_source_and_rule_is_evidence(void **state)
{
	(void)state;
	uint8_t payload[376];
	frame_slammer(payload, sizeof(payload));
	struct frame frames[4];
	for (int i = 0; i < 4; i++)
		frames[i] = (struct frame){ .src = "203.0.113.9",
			.dst = i % 2 ? "198.51.100.8" : "198.51.100.7",
			.proto = PACKET_UDP,
			.dport = 1434,
			.ttl = (uint8_t)(113 + i),
			.payload = payload,
			.payload_len = sizeof(payload) };
	struct outcome o = run(frames, 4);
	assert_int_equal(o.evidence_count, 1);
	assert_int_equal(counter(&o, "sensor.evidence"), 1);
	const Sonde__Evidence *e = o.evidence[0]->evidence;
	const Sonde__Sighting *s = o.records[0]->sighting;
	struct buf expected = { 0 };
	frame_put(&expected, &frames[0]);
	assert_int_equal(e->packet.len, 256);
	assert_memory_equal(e->packet.data, expected.data, 256);
	assert_int_equal(e->size_bytes, expected.len);
	assert_int_equal(e->packet_wall_ns, INT64_C(1700000000500000000));
	assert_string_equal(e->verdict, "worm");
	assert_string_equal(e->signature, "slammer");
	assert_string_equal(e->rule, s->rule);
	assert_int_equal(e->rule_version, s->rule_version);
	assert_int_not_equal(e->rule_version, 0);
	assert_memory_equal(e->src.data, s->src.data, 4);
	buf_fini(&expected);
	outcome_fini(&o);
}

/* A router says that 192.0.2.66 does not answer: that one was asked in the name
 * of ours. */
static void an_error_names_who_was_attacked_and_how(void **state)
{
	(void)state;
	struct buf quoted = { 0 };
	frame_put(&quoted,
	    &(struct frame){ .src = "198.51.100.7",
		.dst = "192.0.2.66",
		.proto = PACKET_TCP,
		.sport = 1234,
		.dport = 443 });
	struct frame f = { .src = "203.0.113.1",
		.dst = "198.51.100.7",
		.proto = PACKET_ICMP,
		.icmp_type = 3,
		.icmp_code = 1,
		.payload = quoted.data,
		.payload_len = quoted.len };
	struct outcome o = run(&f, 1);
	assert_int_equal(o.count, 1);
	const Sonde__Sighting *s = o.records[0]->sighting;
	assert_string_equal(s->verdict, "backscatter");
	assert_int_equal(s->victim.len, 4);
	assert_memory_equal(s->victim.data, "\xc0\x00\x02\x42", 4);
	assert_int_equal(s->has_quoted_proto_case,
	    SONDE__SIGHTING__HAS_QUOTED_PROTO_QUOTED_PROTO);
	assert_int_equal(s->quoted_proto, PACKET_TCP);
	assert_int_equal(s->quoted_sport, 1234);
	assert_int_equal(s->quoted_dport, 443);
	assert_int_equal(s->has_odds_case, 0);
	buf_fini(&quoted);
	outcome_fini(&o);
}

static void what_is_not_known_is_absent(void **state)
{
	(void)state;
	struct frame f = { .src = "203.0.113.9",
		.dst = "198.51.100.7",
		.proto = PACKET_TCP,
		.dport = 80 };
	struct outcome o = run(&f, 1);
	const Sonde__Sighting *s = o.records[0]->sighting;
	assert_int_equal(s->has_ports_case, SONDE__SIGHTING__HAS_PORTS_PORTS);
	assert_int_equal(s->ports, 1);
	assert_int_equal(
	    s->has_attempts_case, SONDE__SIGHTING__HAS_ATTEMPTS_ATTEMPTS);
	assert_int_equal(s->attempts, 1);
	assert_int_equal(s->has_not_judged_case, 0);
	assert_int_equal(s->has_addresses_case, 0);
	assert_int_equal(s->has_quoted_proto_case, 0);
	assert_int_equal(s->victim.len, 0);
	assert_string_not_equal(s->rule, "");
	outcome_fini(&o);
}

static volatile sig_atomic_t stop;
static struct counters *watched;

/* Stops it once it has read what there is. */
static void on_alarm(int signal)
{
	char name[COUNTERS_NAME_LEN];
	uint64_t captured;
	(void)signal;
	stop = counters_get(watched, 0, name, &captured) && captured == 3;
}

/* A FIFO in which a writer leaves some packets and stays silent. */
static void a_fifo_is_read_as_it_fills_and_ends_by_a_signal(void **state)
{
	(void)state;
	struct frame f = { .src = "203.0.113.9",
		.dst = "198.51.100.7",
		.proto = PACKET_TCP,
		.dport = 23,
		.seq = 0xc6336407 };
	struct frame frames[] = { f, f, f };
	struct buf b = capture_of(frames, 3);
	char folder[] = "/tmp/sonde-test-XXXXXX", name[64];
	struct sensor_capture *capture;
	struct outcome o = { .counters = counters_new() };
	int ends[2];
	assert_non_null(mkdtemp(folder));
	snprintf(name, sizeof(name), "file:%s/fifo", folder);
	assert_int_equal(mkfifo(name + 5, 0600), 0);
	assert_int_equal(sensor_open(&capture,
			     &(struct sensor_opening){
				 .interfaces = (const char *const[]){ name },
				 .interface_count = 1,
				 .places_fd = -1,
				 .feed_fd = -1 },
			     &o.msg),
	    0);
	int fd = open(name + 5, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, b.data, b.len), b.len);
	assert_int_equal(pipe(ends), 0);
	watched = o.counters;
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_alarm }, NULL);
	ualarm(50000, 50000);
	assert_int_equal(sensor_run(capture,
			     &(struct sensor_config){ .record_fd = ends[1],
				 .counters = o.counters,
				 .stop = &stop },
			     &o.msg),
	    0);
	ualarm(0, 0);
	close(ends[1]);
	read_records(&o, ends[0]);
	assert_int_equal(o.count, 2);
	assert_int_equal(o.records[0]->sighting->packets, 1);
	assert_int_equal(o.records[1]->sighting->packets, 2);
	outcome_fini(&o);
	close(ends[0]);
	close(fd);
	sensor_close(capture);
	unlink(name + 5);
	rmdir(folder);
	buf_fini(&b);
}

static void an_interface_that_is_not_there_is_named(void **state)
{
	(void)state;
	struct sensor_capture *capture;
	struct errmsg msg;
	int err = sensor_open(&capture,
	    &(struct sensor_opening){ .places_fd = -1,
		.feed_fd = -1,
		.interfaces = (const char *const[]){ "file:/nonexistent/x" },
		.interface_count = 1 },
	    &msg);
	assert_int_equal(err, -ENOENT);
	assert_non_null(strstr(msg.text, "/nonexistent/x"));
	assert_int_equal(
	    sensor_open(&capture,
		&(struct sensor_opening){ .interface_count = 0 }, &msg),
	    ERR_USAGE);
}

static size_t sightings_of(const char *path, int places_fd)
{
	struct outcome o = { .counters = counters_new() };
	struct sensor_capture *capture;
	char *name = NULL;
	int ends[2];
	assert_true(asprintf(&name, "file:%s", path) > 0);
	assert_int_equal(sensor_open(&capture,
			     &(struct sensor_opening){
				 .interfaces = (const char *const[]){ name },
				 .interface_count = 1,
				 .places_fd = places_fd,
				 .feed_fd = -1 },
			     &o.msg),
	    0);
	assert_int_equal(pipe(ends), 0);
	o.err = sensor_run(capture,
	    &(struct sensor_config){
		.record_fd = ends[1], .counters = o.counters },
	    &o.msg);
	assert_int_equal(o.err, 0);
	close(ends[1]);
	read_records(&o, ends[0]);
	close(ends[0]);
	sensor_close(capture);
	free(name);
	size_t packets = 0;
	for (size_t i = 0; i < o.count; i++)
		if (o.records[i]->body_case == SONDE__RECORD__BODY_SIGHTING)
			packets += o.records[i]->sighting->packets;
	outcome_fini(&o);
	return packets;
}

static void a_file_is_reported_once_however_often_it_is_read(void **state)
{
	(void)state;
	char places[] = "/tmp/sonde-test-XXXXXX";
	char path[] = "/tmp/sonde-test-XXXXXX";
	char copy[] = "/tmp/sonde-test-XXXXXX";
	struct frame frames[5];
	for (int i = 0; i < 5; i++)
		frames[i] = (struct frame){ .src = "203.0.113.9",
			.dst = "198.51.100.7",
			.proto = 6,
			.sport = (uint16_t)(4000 + i),
			.dport = 23 };
	struct buf three = capture_of(frames, 3), five = capture_of(frames, 5);
	int fd = mkstemp(places);
	assert_true(fd >= 0);
	write_file(path, &three);
	assert_int_equal(sightings_of(path, fd), 3);
	assert_int_equal(sightings_of(path, fd), 0);
	/* It has grown: what is behind is reported, under any name. */
	write_file(copy, &five);
	assert_int_equal(sightings_of(copy, fd), 2);
	assert_int_equal(sightings_of(copy, fd), 0);
	assert_int_equal(sightings_of(copy, -1), 5);
	/* Another capture, and a damaged list of places. */
	frames[0].src = "203.0.113.8";
	struct buf other = capture_of(frames, 2);
	unlink(path);
	memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	write_file(path, &other);
	assert_int_equal(sightings_of(path, fd), 2);
	assert_int_equal(sightings_of(path, fd), 0);
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_int_equal(sightings_of(path, fd), 2);
	close(fd);
	unlink(places);
	unlink(path);
	unlink(copy);
	buf_fini(&three);
	buf_fini(&five);
	buf_fini(&other);
}

static void a_file_is_watched_until_its_end(void **state)
{
	(void)state;
	const struct frame frame = {
		.src = "203.0.113.9",
		.dst = "198.51.100.7",
		.proto = 6,
		.sport = 4000,
		.dport = 23,
	};
	struct outcome o = run(&frame, 1);
	assert_int_equal(o.err, 0);
	assert_true(o.span_count >= 2);
	const Sonde__Coverage *first = o.spans[0]->coverage;
	const Sonde__Coverage *last = o.spans[o.span_count - 1]->coverage;
	assert_string_equal(first->state, "up");
	assert_string_equal(last->state, "ended");
	assert_memory_equal(first->interface, "file:", 5);
	assert_string_equal(first->interface, last->interface);
	assert_true(first->first_wall_ns <= first->last_wall_ns);
	assert_true(first->last_wall_ns <= last->first_wall_ns);
	assert_int_equal(first->n_not_understood, 0);
	assert_int_equal(counter(&o, "sensor.interfaces"), 0);
	assert_int_equal(counter(&o, "sensor.watching"), 0);
	outcome_fini(&o);
}

static void a_record_pipe_that_broke_ends_it(void **state)
{
	(void)state;
	struct frame f = { .src = "203.0.113.9",
		.dst = "198.51.100.7",
		.proto = PACKET_TCP,
		.dport = 23 };
	char path[] = "/tmp/sonde-test-XXXXXX";
	struct buf b = capture_of(&f, 1);
	struct sensor_capture *capture;
	struct errmsg msg;
	int ends[2];
	write_file(path, &b);
	char *name = NULL;
	assert_true(asprintf(&name, "file:%s", path) > 0);
	assert_int_equal(sensor_open(&capture,
			     &(struct sensor_opening){
				 .interfaces = (const char *const[]){ name },
				 .interface_count = 1,
				 .places_fd = -1,
				 .feed_fd = -1 },
			     &msg),
	    0);
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(
	    sensor_run(
		capture, &(struct sensor_config){ .record_fd = ends[1] }, &msg),
	    -EPIPE);
	close(ends[1]);
	sensor_close(capture);
	unlink(path);
	free(name);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_worm_is_a_sighting_at_once_and_then_its_minute),
		cmocka_unit_test(each_port_has_a_sighting_of_its_own),
		cmocka_unit_test(what_a_full_table_evicts_is_summed_up),
		cmocka_unit_test(icmp_shows_type_and_code_as_port),
		cmocka_unit_test(targets_of_two_runs_join),
		cmocka_unit_test(neighbours_are_counted_within_four_errors),
		cmocka_unit_test(
		    the_first_packet_of_a_source_and_rule_is_evidence),
		cmocka_unit_test(an_error_names_who_was_attacked_and_how),
		cmocka_unit_test(what_is_not_known_is_absent),
		cmocka_unit_test(
		    a_fifo_is_read_as_it_fills_and_ends_by_a_signal),
		cmocka_unit_test(an_interface_that_is_not_there_is_named),
		cmocka_unit_test(
		    a_file_is_reported_once_however_often_it_is_read),
		cmocka_unit_test(a_file_is_watched_until_its_end),
		cmocka_unit_test(a_record_pipe_that_broke_ends_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
