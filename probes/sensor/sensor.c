/* SPDX-License-Identifier: ISC */
/*
 * The agent's sensor process: findings become Sighting records, payloads that
 * are new become Payload records, and what was counted goes to the page that
 * the keeper reads.
 */
#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/record/record.h"
#include "lib/base/xalloc.h"
#include "probes/ipc/counters.h"
#include "probes/ipc/frame-batch.h"
#include "probes/sensor/aggregate.h"
#include "probes/sensor/capture-loop.h"
#include "probes/sensor/coverage.h"
#include "probes/sensor/file-places.h"
#include "probes/sensor/sensor.h"
#include "probes/sensor/sighting-record.h"

#define DEFAULT_INTERVAL_S 60
#define DEFAULT_SOURCES 32768
#define DEFAULT_SNAPLEN 2048
#define DEFAULT_BUFFER (2u << 20)
#define DEFAULT_BUFFER_MOST (32u << 20)
#define MEMORY_PER_SOURCE 208
#define MEMORY_BYTES ((size_t)DEFAULT_SOURCES * MEMORY_PER_SOURCE)
#define PAYLOADS_MAX 512
#define PAYLOAD_BYTES_MAX ((size_t)256 << 10)
#define FORGET_NS (3600 * NS_PER_S)
#define FLUSH_SOURCES 512 /* before the captures are looked at */
#define WRITE_TIMEOUT_MS 5000
#define FIRST_SIGHTS_A_SECOND 64

struct sensor_capture {
	struct capture *captures[SENSOR_INTERFACES_MAX];
	const char *names[SENSOR_INTERFACES_MAX]; /* the caller's */
	struct loop_frames frames[SENSOR_INTERFACES_MAX];
	size_t places[SENSOR_INTERFACES_MAX]; /* of files; 0: none */
	struct file_places *file_places;
	size_t count;
};

enum cell {
	CELL_CAPTURED,
	CELL_DROPPED,
	CELL_DECODED,
	CELL_TRUNCATED,
	CELL_MALFORMED,
	CELL_NOT_IP,
	CELL_FRAGMENTS,
	CELL_UNDECIDED,
	CELL_HOME,
	CELL_REPLIES,
	CELL_SOURCES,
	CELL_EVICTED,
	CELL_SIGHTINGS,
	CELL_FIRST,
	CELL_FIRST_DEFERRED,
	CELL_AGGREGATED,
	CELL_PAYLOADS,
	CELL_INTERFACES,
	CELL_WATCHING,
	CELL_DROPPED_KERNEL,
	CELL_DROPPED_RING,
	CELL_DROPPED_OWN,
	CELL_EVIDENCE,
	CELLS
};

static const char *const cell_names[CELLS] = {
	[CELL_CAPTURED] = "sensor.captured",
	[CELL_DROPPED] = "sensor.dropped",
	[CELL_DECODED] = "sensor.decoded",
	[CELL_TRUNCATED] = "sensor.truncated",
	[CELL_MALFORMED] = "sensor.malformed",
	[CELL_NOT_IP] = "sensor.not_ip",
	[CELL_FRAGMENTS] = "sensor.fragments",
	[CELL_UNDECIDED] = "sensor.undecided",
	[CELL_HOME] = "sensor.home",
	[CELL_REPLIES] = "sensor.replies",
	[CELL_SOURCES] = "sensor.sources",
	[CELL_EVICTED] = "sensor.evicted",
	[CELL_SIGHTINGS] = "sensor.sightings",
	[CELL_FIRST] = "sensor.first_sightings",
	[CELL_FIRST_DEFERRED] = "sensor.first_deferred",
	[CELL_AGGREGATED] = "sensor.aggregated",
	[CELL_PAYLOADS] = "sensor.payloads",
	[CELL_INTERFACES] = "sensor.interfaces",
	[CELL_WATCHING] = SENSOR_WATCHING,
	[CELL_DROPPED_KERNEL] = "sensor.dropped_kernel",
	[CELL_DROPPED_RING] = "sensor.dropped_ring",
	[CELL_DROPPED_OWN] = "sensor.dropped_own",
	[CELL_EVIDENCE] = "sensor.evidence",
};

struct runner {
	const struct sensor_config *config;
	struct sensor_capture *capture;
	struct engine *engine;
	struct frame_batch records;
	uint64_t *cells[CELLS];
	uint64_t waiting[CELLS]; /* for their records to be written */
	struct aggregates *aggregates;
	struct coverage *coverage;
	uint64_t *blind_cells[SENSOR_INTERFACES_MAX];
	uint64_t settled[SENSOR_INTERFACES_MAX]; /* frames in records */
	uint32_t interval_s;
	bool flushing;
	int err; /* the first failure to write */
};

static bool is_file(const char *name)
{
	return strncmp(name, "file:", 5) == 0;
}

/* Files one by one, all interfaces together. */
static int open_all(struct sensor_capture *c,
    const struct sensor_opening *opening, const struct capture_config *config,
    struct errmsg *msg)
{
	const char *live[SENSOR_INTERFACES_MAX];
	size_t live_count = 0;
	for (size_t i = 0; i < opening->interface_count; i++) {
		const char *name = opening->interfaces[i];
		if (!is_file(name)) {
			live[live_count++] = name;
			continue;
		}
		int err = capture_open_file(
		    &c->captures[c->count], name + 5, config, msg);
		if (err)
			return err;
		c->places[c->count] =
		    file_places_find(c->file_places, name + 5);
		c->frames[c->count].skip =
		    file_places_frames(c->file_places, c->places[c->count]);
		c->names[c->count++] = name;
	}
	if (live_count == 0)
		return 0;
	int err = capture_open_live(
	    &c->captures[c->count], live, live_count, config, msg);
	c->count += err == 0;
	return err;
}

static void on_notice(void *arg, const char *text)
{
	(void)arg;
	log_warn("%s", text);
}

int sensor_open(struct sensor_capture **capture,
    const struct sensor_opening *opening, struct errmsg *msg)
{
	const uint32_t bytes =
	    opening->buffer_bytes ? opening->buffer_bytes : DEFAULT_BUFFER;
	const uint32_t most = opening->buffer_most_bytes
	    ? opening->buffer_most_bytes
	    : DEFAULT_BUFFER_MOST;
	const struct capture_config config = {
		.filter = opening->filter,
		.snaplen =
		    opening->snaplen ? opening->snaplen : DEFAULT_SNAPLEN,
		.buffer_bytes = bytes,
		.buffer_most_bytes = most > bytes ? most : bytes,
		.promiscuous = opening->promiscuous,
		.feed_fd = opening->feed_fd,
		.notice = on_notice,
	};
	size_t n = opening->interface_count;
	if (n == 0 || n > SENSOR_INTERFACES_MAX)
		return err_set(msg, ERR_USAGE,
		    "sensor: %zu interfaces, expected 1 to %d", n,
		    SENSOR_INTERFACES_MAX);
	struct sensor_capture *c = xcalloc(1, sizeof(*c));
	c->file_places = file_places_open(opening->places_fd);
	int err = open_all(c, opening, &config, msg);
	if (err) {
		sensor_close(c);
		return err;
	}
	*capture = c;
	return 0;
}

void sensor_close(struct sensor_capture *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->count; i++)
		capture_close(c->captures[i]);
	file_places_free(c->file_places);
	free(c);
}

/* The reader may be behind for a while; meanwhile the capture buffers, and
 * then the kernel counts what it drops. */
static int write_bytes(int fd, const uint8_t *bytes, size_t len)
{
	struct pollfd p = { fd, POLLOUT, 0 };
	size_t at = 0;
	while (at < len) {
		ssize_t n = write(fd, bytes + at, len - at);
		if (n > 0)
			at += (size_t)n;
		else if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		else if (poll(&p, 1, WRITE_TIMEOUT_MS) == 0)
			return -ETIMEDOUT;
	}
	return 0;
}

/* Counts records once they are handed over, and not before. */
static int write_records(void *arg, const uint8_t *bytes, size_t len)
{
	struct runner *r = arg;
	r->err = write_bytes(r->config->record_fd, bytes, len);
	for (int i = 0; i < CELLS; i++) {
		if (r->err == 0)
			counters_add(r->cells[i], r->waiting[i]);
		r->waiting[i] = 0;
	}
	return r->err;
}

static bool send_record(struct runner *r, Sonde__Record *record)
{
	if (r->config->record_fd < 0 || r->err != 0)
		return false;
	record_stamp(record);
	return frame_batch_add(&r->records, record, 0, NULL) == 0;
}

static ProtobufCBinaryData binary(const void *bytes, size_t len)
{
	return (ProtobufCBinaryData){ len, (uint8_t *)bytes };
}

/* So that who reads a verdict can look into it. */
static void send_evidence(struct runner *r, const struct finding *f)
{
	Sonde__Evidence evidence;
	const struct first_packet *packet =
	    first_packets_take(engine_first_packets(r->engine), f);
	if (!packet)
		return;
	evidence_of_finding(&evidence, f, packet);
	Sonde__Record record = SONDE__RECORD__INIT;
	record.body_case = SONDE__RECORD__BODY_EVIDENCE;
	record.evidence = &evidence;
	if (send_record(r, &record))
		r->waiting[CELL_EVIDENCE]++;
}

static void send_finding(void *arg, const struct finding *f)
{
	struct runner *r = arg;
	Sonde__Sighting s;
	sighting_of_finding(&s, f, r->interval_s);
	Sonde__Record record = SONDE__RECORD__INIT;
	record.body_case = SONDE__RECORD__BODY_SIGHTING;
	record.sighting = &s;
	if (!send_record(r, &record))
		return;
	r->waiting[CELL_SIGHTINGS]++;
	r->waiting[CELL_FIRST] += f->is_first;
	if (f->sources > 0)
		r->waiting[CELL_AGGREGATED] += f->packets;
	else
		send_evidence(r, f);
}

/* A source that is evicted has no record of its own: in a flood or an outbreak
 * larger than the table that would be as many records as packets. */
static void on_finding(void *arg, const struct finding *f)
{
	struct runner *r = arg;
	if (f->evicted)
		aggregates_add(r->aggregates, f);
	else
		send_finding(r, f);
}

static void send_payloads(struct runner *r)
{
	const struct payload *new;
	uint8_t sha256[crypto_hash_sha256_BYTES];
	while ((new = payloads_next_new(engine_payloads(r->engine)))) {
		Sonde__Payload p = SONDE__PAYLOAD__INIT;
		p.hash = binary(new->hash, sizeof(new->hash));
		p.octets = binary(new->octets, new->len);
		p.size_bytes = new->wire_len;
		crypto_hash_sha256(sha256, new->octets, new->len);
		p.sha256 = binary(sha256, sizeof(sha256));
		Sonde__Record record = SONDE__RECORD__INIT;
		record.body_case = SONDE__RECORD__BODY_PAYLOAD;
		record.payload = &p;
		if (send_record(r, &record))
			r->waiting[CELL_PAYLOADS]++;
	}
}

static void send_coverage(void *arg, const Sonde__Coverage *span)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	record.body_case = SONDE__RECORD__BODY_COVERAGE;
	record.coverage = (Sonde__Coverage *)span;
	send_record(arg, &record);
}

static void on_read(void *arg, size_t capture, bool ended)
{
	struct runner *r = arg;
	coverage_count(r->coverage, capture, engine_counts(r->engine));
	if (ended)
		coverage_ended(r->coverage, capture);
}

/* In heartbeats, so that it is known before the span has ended, and also where
 * no record comes any more. */
static void count_coverage(struct runner *r)
{
	const struct coverage_sums sums = coverage_sums(r->coverage);
	struct coverage_state state;
	counters_set(r->cells[CELL_INTERFACES], sums.interfaces);
	counters_set(r->cells[CELL_WATCHING], sums.watched);
	counters_set(r->cells[CELL_DROPPED_KERNEL], sums.dropped_kernel);
	counters_set(r->cells[CELL_DROPPED_RING], sums.dropped_ring);
	counters_set(r->cells[CELL_DROPPED_OWN], sums.dropped_own);
	for (size_t i = 0; coverage_state(r->coverage, i, &state); i++)
		counters_set(r->blind_cells[i],
		    state.watched ? 0 : (uint64_t)(state.since.ns / NS_PER_S));
}

static void begin_coverage(struct runner *r)
{
	struct coverage_state state;
	r->coverage = coverage_new(
	    r->capture->captures, r->capture->names, r->capture->count);
	for (size_t i = 0; coverage_state(r->coverage, i, &state); i++) {
		char name[COUNTERS_NAME_LEN];
		snprintf(name, sizeof(name), "sensor.blind_since_s.%.16s",
		    state.name);
		r->blind_cells[i] = is_file(state.name)
		    ? counters_cell(NULL, name)
		    : counters_cell(r->config->counters, name);
	}
	count_coverage(r);
}

/* What one reading of the captures found goes in one write. */
static void on_counted(void *arg)
{
	struct runner *r = arg;
	coverage_emit(r->coverage, false, send_coverage, r);
	frame_batch_flush(&r->records);
	count_coverage(r);
	const struct engine_counts *c = engine_counts(r->engine);
	struct table_stats table = engine_table_stats(r->engine);
	uint64_t dropped = 0;
	for (size_t i = 0; i < r->capture->count; i++)
		dropped += capture_dropped(r->capture->captures[i]);
	counters_set(r->cells[CELL_CAPTURED], c->packets);
	counters_set(r->cells[CELL_DROPPED], dropped);
	counters_set(r->cells[CELL_DECODED], c->decoded);
	counters_set(r->cells[CELL_TRUNCATED], c->truncated);
	counters_set(r->cells[CELL_MALFORMED], c->malformed);
	counters_set(r->cells[CELL_NOT_IP], c->unsupported);
	counters_set(r->cells[CELL_FRAGMENTS], c->fragments);
	counters_set(r->cells[CELL_UNDECIDED], c->undecided);
	counters_set(r->cells[CELL_HOME], c->home);
	counters_set(r->cells[CELL_REPLIES], c->replies);
	counters_set(r->cells[CELL_SOURCES], table.sources);
	counters_set(r->cells[CELL_EVICTED], table.evicted);
	counters_set(
	    r->cells[CELL_FIRST_DEFERRED], table.first_sights_deferred);
}

/* What was read by now is in records when this interval's are. */
static void mark_places(struct runner *r)
{
	for (size_t i = 0; i < r->capture->count; i++)
		r->settled[i] = r->capture->frames[i].read;
}

static void note_places(const struct runner *r)
{
	struct sensor_capture *c = r->capture;
	bool noted = false;
	for (size_t i = 0; i < c->count; i++) {
		uint64_t read = r->settled[i];
		if (!c->places[i] || read <= c->frames[i].skip ||
		    read == file_places_frames(c->file_places, c->places[i]))
			continue;
		file_places_note(c->file_places, c->places[i], read);
		noted = true;
	}
	int err = noted ? file_places_save(c->file_places) : 0;
	if (err < 0)
		log_warn(
		    "how far files were read cannot be kept: %s", err_str(err));
}

/* A part of what there is to report, so that the captures do not wait for all
 * of it: 1 when there is more. */
static int on_interval(void *arg, struct errmsg *msg)
{
	struct runner *r = arg;
	if (!r->flushing) {
		send_payloads(r);
		mark_places(r);
	}
	r->flushing = engine_flush_some(r->engine, FLUSH_SOURCES);
	if (r->flushing && r->err == 0)
		return 1;
	aggregates_flush(r->aggregates, send_finding, r);
	coverage_emit(r->coverage, true, send_coverage, r);
	first_packets_clear(engine_first_packets(r->engine));
	engine_expire(r->engine, walltime_add(walltime_now(), -FORGET_NS));
	on_counted(r);
	if (r->err == 0)
		note_places(r);
	return r->err == 0
	    ? 0
	    : err_set(msg, r->err, "sensor: records: %s", err_str(r->err));
}

static size_t memory_for(uint32_t max_sources)
{
	size_t memory = (size_t)max_sources * MEMORY_PER_SOURCE;
	return memory > MEMORY_BYTES ? memory : MEMORY_BYTES;
}

int sensor_run(struct sensor_capture *capture,
    const struct sensor_config *config, struct errmsg *msg)
{
	struct runner r = {
		.config = config,
		.capture = capture,
		.interval_s = config->interval_s ? config->interval_s
						 : DEFAULT_INTERVAL_S,
	};
	r.records = (struct frame_batch){ write_records, &r, { 0 } };
	for (int i = 0; i < CELLS; i++)
		r.cells[i] = counters_cell(config->counters, cell_names[i]);
	r.aggregates = aggregates_new();
	r.engine = engine_new(&(struct engine_config){
	    .max_sources =
		config->max_sources ? config->max_sources : DEFAULT_SOURCES,
	    .memory = memory_for(config->max_sources),
	    .max_payloads = PAYLOADS_MAX,
	    .max_payload_bytes = PAYLOAD_BYTES_MAX,
	    .homes = config->homes,
	    .home_count = config->home_count,
	    .per_port = true,
	    .first_sights = FIRST_SIGHTS_A_SECOND,
	    .first_packets = true,
	    .finding = on_finding,
	    .arg = &r,
	});
	begin_coverage(&r);
	int err = loop_run(
	    &(struct loop){
		.captures = capture->captures,
		.capture_count = capture->count,
		.frames = capture->frames,
		.engine = r.engine,
		.interval_ns = (int64_t)r.interval_s * NS_PER_S,
		.out_fd = config->record_fd,
		.stop = config->stop,
		.counted = on_counted,
		.read = on_read,
		.interval = on_interval,
		.arg = &r,
	    },
	    msg);
	int last;
	while ((last = on_interval(&r, err ? NULL : msg)) > 0)
		;
	frame_batch_fini(&r.records);
	engine_free(r.engine);
	aggregates_free(r.aggregates);
	coverage_free(r.coverage);
	return err ? err : last;
}
