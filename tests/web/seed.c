/* SPDX-License-Identifier: ISC */
/* Fills a collector with some hours of a small internet, through its own
 * door: tokens, enrolment, campaigns, batches over HTTP.  With --live it goes
 * on in real time, so that pages have something to follow. */

#include <curl/curl.h>
#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/option/option.h"
#include "lib/base/xalloc.h"
#include "tests/web/seed-results.h"
#include "tests/web/seed-worm.h"

/* Small slices of time, all agents in each: a collector that judges series
 * meanwhile would take an agent that is behind for a fall. */
enum { SLICE_MINUTES = 2, TRIES = 100 };

static const struct option_row rows[] = {
	{ .name = "url",
	    .type = OPTION_TEXT,
	    .argument = "URL",
	    .fallback = "http://127.0.0.1:8470",
	    .help = "of the collector" },
	{ .name = "token-file",
	    .letter = 't',
	    .type = OPTION_TEXT,
	    .argument = "FILE",
	    .help = "the collector's admin.token" },
	{ .name = "hours",
	    .type = OPTION_NUMBER,
	    .argument = "N",
	    .min = 0.02,
	    .max = 240,
	    .fallback = "6",
	    .help = "of history" },
	{ .name = "seed",
	    .type = OPTION_INTEGER,
	    .argument = "N",
	    .min = 1,
	    .max = 1e9,
	    .fallback = "1",
	    .help = "of the dice" },
	{ .name = "live",
	    .type = OPTION_FLAG,
	    .help = "go on with a minute's data every minute, until Ctrl-C" },
	{ .name = "prefix",
	    .type = OPTION_TEXT,
	    .argument = "TEXT",
	    .fallback = "",
	    .help = "before the agents' names, to seed twice" },
	{ 0 },
};
static const struct option_table table = {
	.program = "seed",
	.synopsis = "-t STATE/admin.token [--url URL] [--live]",
	.summary = "fill a collector with a small internet and a worm",
	.examples = "echo 'state-dir = \"/tmp/state\"' >/tmp/conf\n"
		    "sonde-collector -c /tmp/conf &\n"
		    "seed -t /tmp/state/admin.token --live",
	.rows = rows,
};

struct seed {
	CURL *curl;
	const char *url;
	char *bearer; /* a header line */
	struct synth agents[NET_AGENTS];
	struct dice dice, result_dice; /* the one does not move the other */
	uint8_t trace_campaign[16], ping_campaign[16];
	uint64_t run, records;
};

static volatile sig_atomic_t asked_to_stop;

static void stop(int number)
{
	(void)number;
	asked_to_stop = 1;
}

static size_t keep(char *data, size_t size, size_t count, void *to)
{
	buf_bytes(to, data, size * count);
	return size * count;
}

/* One POST; the status, and the answer's body in *answer. */
static long post(struct seed *seed, const char *path, const char *type,
    const struct buf *body, struct buf *answer)
{
	char url[256], content_type[64];
	long status = 0;
	snprintf(url, sizeof(url), "%s%s", seed->url, path);
	snprintf(content_type, sizeof(content_type), "Content-Type: %s", type);
	struct curl_slist *headers = curl_slist_append(NULL, content_type);
	headers = curl_slist_append(headers, seed->bearer);
	headers = curl_slist_append(headers, "Expect:");
	buf_clear(answer);
	curl_easy_setopt(seed->curl, CURLOPT_URL, url);
	curl_easy_setopt(seed->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(seed->curl, CURLOPT_POSTFIELDSIZE, (long)body->len);
	curl_easy_setopt(seed->curl, CURLOPT_POSTFIELDS, body->data);
	curl_easy_setopt(seed->curl, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(seed->curl, CURLOPT_WRITEDATA, answer);
	CURLcode code = curl_easy_perform(seed->curl);
	if (code != CURLE_OK)
		fprintf(
		    stderr, "seed: %s: %s\n", url, curl_easy_strerror(code));
	else
		curl_easy_getinfo(seed->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	return status;
}

/* Posts JSON (takes it) and expects 201; exits otherwise. */
static json_t *create(struct seed *seed, const char *path, json_t *json)
{
	struct buf answer = { 0 };
	char *text = json_dumps(json, JSON_COMPACT);
	struct buf body = { (uint8_t *)text, strlen(text), 0 };
	long status = post(seed, path, "application/json", &body, &answer);
	if (status != 201) {
		fprintf(stderr, "seed: %s: %ld %.*s\n", path, status,
		    (int)answer.len, (char *)answer.data);
		exit(1);
	}
	json_t *result = json_loadb((char *)answer.data, answer.len, 0, NULL);
	free(text);
	json_decref(json);
	buf_fini(&answer);
	return result;
}

static void enrol(struct seed *seed, unsigned i, const char *prefix)
{
	struct synth *agent = &seed->agents[i];
	char *name = xasprintf("%s%s", prefix, net_agent_name(i));
	synth_new(agent);
	json_t *token = create(seed, "/api/v1/tokens",
	    json_pack("{s:s,s:[s,s]}", "name", name, "tags", "seed",
		i < 2 || i == 4 ? "europe" : "far"));
	json_t *answer = create(seed, "/api/v1/enrol",
	    synth_enrol_body(agent,
		json_string_value(json_object_get(token, "token")), name));
	json_decref(token);
	json_decref(answer);
	free(name);
}

static void create_campaign(
    struct seed *seed, const char *script, uint8_t id[static 16])
{
	json_t *targets = json_array();
	for (unsigned i = 0; i < NET_AGENTS; i++) {
		uint8_t a[4];
		char text[16];
		net_agent_addr(i, a);
		snprintf(
		    text, sizeof(text), "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
		json_array_append_new(targets, json_string(text));
	}
	json_t *answer = create(seed, "/api/v1/campaigns",
	    json_pack("{s:s,s:o,s:[s],s:i}", "script", script, "targets",
		targets, "on", "seed", "every_s", 60));
	const char *hex = json_string_value(json_object_get(answer, "id"));
	size_t len = 0;
	if (!hex || sodium_hex2bin(id, 16, hex, 32, NULL, &len, NULL) != 0)
		BUG("campaign without an id");
	json_decref(answer);
}

/* Sends what the agent has; waits where the collector asks to. */
static void ship(struct seed *seed, struct synth *agent)
{
	struct buf body = { 0 }, answer = { 0 };
	uint32_t count = agent->count;
	long status = 200;
	if (!synth_seal(agent, &body))
		return;
	for (int try = 0; try < TRIES; try++) {
		status = post(seed, "/api/v1/ingest",
		    "application/vnd.sonde.batch", &body, &answer);
		if (status != 503 && status != 429)
			break;
		usleep(200000);
	}
	if (status != 200) {
		fprintf(stderr, "seed: batch: %ld %.*s\n", status,
		    (int)answer.len, (char *)answer.data);
		exit(1);
	}
	seed->records += count;
	buf_fini(&body);
	buf_fini(&answer);
}

static Sonde__Record frame_at(const struct net_when *when)
{
	Sonde__Record frame = SONDE__RECORD__INIT;
	frame.wall_ns = when->wall_ns;
	frame.mono_ns = when->wall_ns - INT64_C(1700000000000000000);
	frame.clock_state = SONDE__CLOCK_STATE__CLOCK_STATE_SYNCHRONISED;
	frame.clock_error_ns = 350000;
	return frame;
}

/* One agent's minute: traces and pings to all others, sightings, a beat. */
static void minute(struct seed *seed, unsigned i, const struct net_when *end)
{
	struct synth *agent = &seed->agents[i];
	for (unsigned to = 0; to < NET_AGENTS; to++) {
		struct net_when when = *end;
		if (to == i)
			continue;
		when.wall_ns -= 50000000000 - to * 7000000000;
		Sonde__Record frame = frame_at(&when);
		frame.run = seed->run;
		frame.campaign =
		    (ProtobufCBinaryData){ 16, seed->trace_campaign };
		net_trace(agent, i, to, &frame, &when, &seed->dice);
		when.wall_ns += 3000000000;
		frame = frame_at(&when);
		frame.run = seed->run;
		frame.campaign =
		    (ProtobufCBinaryData){ 16, seed->ping_campaign };
		net_ping(agent, i, to, &frame, &when, &seed->dice);
	}
	Sonde__Record frame = frame_at(end);
	if (seed->run == 1)
		worm_payloads(agent, &frame);
	worm_minute(agent, i, &frame, end, &seed->dice);
	worm_heartbeat(agent, i, &frame, seed->run, &seed->dice);
	results_minute(agent, i, &frame, seed->run, &seed->result_dice);
}

static void history(struct seed *seed, double hours)
{
	int64_t minutes = (int64_t)(hours * 60);
	struct walltime now = walltime_now();
	for (int64_t m = minutes - 1; m >= 0 && !asked_to_stop; m--) {
		struct net_when when = { now.ns - m * 60 * NS_PER_S, m * 60 };
		seed->run++;
		for (unsigned i = 0; i < NET_AGENTS; i++)
			minute(seed, i, &when);
		for (unsigned i = 0; i < NET_AGENTS; i++)
			if (m % SLICE_MINUTES == 0)
				ship(seed, &seed->agents[i]);
		if (m % 60 == 0)
			fprintf(stderr,
			    "seed: %" PRId64 " h to go, %" PRIu64 " records\n",
			    m / 60, seed->records);
	}
}

static void live(struct seed *seed)
{
	while (!asked_to_stop) {
		for (unsigned i = 0; i < NET_AGENTS && !asked_to_stop; i++) {
			sleep(60 / NET_AGENTS);
			struct net_when when = { walltime_now().ns, 0 };
			if (i == 0)
				seed->run++;
			minute(seed, i, &when);
			ship(seed, &seed->agents[i]);
		}
	}
}

static char *read_bearer(const char *path)
{
	char token[256] = "";
	FILE *f = path ? fopen(path, "re") : NULL;
	if (!f || !fgets(token, sizeof(token), f)) {
		fprintf(stderr, "seed: --token-file: cannot read '%s'\n",
		    path ? path : "");
		exit(2);
	}
	fclose(f);
	token[strcspn(token, "\r\n")] = 0;
	return xasprintf("Authorization: Bearer %s", token);
}

int main(int argc, char **argv)
{
	struct option_values *values;
	struct errmsg msg;
	struct seed seed = { 0 };
	if (option_parse(&values, &table, argc, argv, &msg) != 0) {
		fprintf(stderr, "seed: %s\n", msg.text);
		return 2;
	}
	if (option_help_asked(values)) {
		char *help = option_help_text(&table);
		fputs(help, stdout);
		free(help);
		option_free(values);
		return 0;
	}
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	seed.curl = curl_easy_init();
	seed.url = option_text(values, "url");
	seed.bearer = read_bearer(option_text(values, "token-file"));
	seed.dice.state = (uint64_t)option_integer(values, "seed");
	seed.result_dice.state = seed.dice.state + 1;
	for (unsigned i = 0; i < NET_AGENTS; i++)
		enrol(&seed, i, option_text(values, "prefix"));
	create_campaign(&seed, "trace", seed.trace_campaign);
	create_campaign(&seed, "ping", seed.ping_campaign);
	history(&seed, option_number(values, "hours"));
	if (option_flag(values, "live"))
		live(&seed);
	fprintf(stderr, "seed: %" PRIu64 " records stored\n", seed.records);
	for (unsigned i = 0; i < NET_AGENTS; i++)
		synth_fini(&seed.agents[i]);
	curl_easy_cleanup(seed.curl);
	curl_global_cleanup();
	free(seed.bearer);
	option_free(values);
	return 0;
}
