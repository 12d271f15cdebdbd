/* SPDX-License-Identifier: ISC */
/* Bodies of the API's requests and answers, but for records. */

#include "web/api/json-schema.h"

static const struct schema_field agent_clock_fields[] = {
	FIELD("state", SCHEMA_WORD, .of = "synchronised|unsynchronised|unknown",
	    .example = "\"synchronised\""),
	FIELD("error_ns", SCHEMA_COUNT | SCHEMA_OR_NULL,
	    .help = "bound of its error; null: not known", .example = "350000"),
	{ 0 },
};

static const struct schema_field agent_fields[] = {
	FIELD("id", SCHEMA_ID, .help = "BLAKE2b-128 of its public key"),
	FIELD("name", SCHEMA_TEXT, .example = "\"ams\""),
	FIELD("tags", SCHEMA_TEXT | SCHEMA_LIST, .example = "\"europe\""),
	FIELD("version", SCHEMA_TEXT, .example = "\"0.1.0\""),
	FIELD("state", SCHEMA_WORD,
	    .help = "new: never heard of since it enrolled; late and gone: not "
		    "heard of for the times in the configuration",
	    .of = "new|up|late|gone", .example = "\"up\""),
	FIELD("enrolled_at", SCHEMA_TIME, .help = "when it enrolled"),
	FIELD("last_seen_at", SCHEMA_TIME | SCHEMA_OR_NULL,
	    .help = "its last request that verified"),
	FIELD("addresses", SCHEMA_TEXT | SCHEMA_LIST,
	    .help = "of its interfaces, as it reports",
	    .example = "\"198.19.1.10\""),
	FIELD("epoch", SCHEMA_COUNT, .help = "of its spool", .example = "1"),
	FIELD("produced", SCHEMA_COUNT,
	    .help = "records that it made: stored and lost", .example = "9120"),
	FIELD("stored", SCHEMA_COUNT, .help = "records that we hold or held",
	    .example = "9120"),
	FIELD("lost", SCHEMA_COUNT, .help = "records that it declared lost",
	    .example = "0"),
	FIELD("captured", SCHEMA_COUNT | SCHEMA_OR_NULL,
	    .help = "packets that its sensor saw", .example = "324000"),
	FIELD("capture_dropped", SCHEMA_COUNT | SCHEMA_OR_NULL,
	    .help = "packets that its sensor missed", .example = "0"),
	FIELD("watch", SCHEMA_TEXT | SCHEMA_OR_NULL,
	    .help = "whether its sensor watches what it is to: all, some or "
		    "none of its interfaces; null: it has no sensor, or one "
		    "that does not say",
	    .example = "\"all\""),
	FIELD("interfaces", SCHEMA_OBJECT | SCHEMA_LIST, .of = "AgentInterface",
	    .help = "that its sensor is to watch, by name"),
	FIELD("sent", SCHEMA_COUNT | SCHEMA_OR_NULL,
	    .help = "packets that it sent", .example = "50400"),
	FIELD("denied", SCHEMA_COUNTS,
	    .help = "packets that its policy refused, by reason",
	    .example = "{\"private\": 12}"),
	FIELD("unsent", SCHEMA_OBJECT | SCHEMA_LIST, .of = "AgentUnsent",
	    .help = "probes of traces and pings that did not leave it in this "
		    "hour and the 23 before, by reason, the most first; "
		    "at most 16"),
	FIELD("clock", SCHEMA_OBJECT, .of = "AgentClock"),
	FIELD("spool_bytes", SCHEMA_COUNT | SCHEMA_OR_NULL,
	    .help = "waiting at the agent", .example = "212000"),
	FIELD("counters", SCHEMA_COUNTS,
	    .help = "the newest heartbeat's, by name",
	    .example = "{\"sensor.captured\": 324000}"),
	{ 0 },
};

static const struct schema_field agent_interface_fields[] = {
	FIELD("name", SCHEMA_TEXT, .example = "\"eth0\""),
	FIELD("watched", SCHEMA_BOOLEAN, .example = "true"),
	FIELD("why", SCHEMA_TEXT | SCHEMA_OR_NULL,
	    .help = "it is not watched; null: it is", .example = "null"),
	FIELD("since", SCHEMA_TIME,
	    .help = "it is watched, or not, by the agent's clock"),
	FIELD("ring_bytes", SCHEMA_COUNT,
	    .help = "memory of the packets that wait to be read",
	    .example = "2097152"),
	{ 0 },
};

static const struct schema_field agent_unsent_fields[] = {
	FIELD("outcome", SCHEMA_WORD, .of = "not-sent|denied",
	    .example = "\"not-sent\""),
	FIELD("reason", SCHEMA_TEXT,
	    .help = "what the host said, or the policy; (more): of reasons "
		    "above an agent's bound",
	    .example = "\"network is down\""),
	FIELD("device", SCHEMA_TEXT | SCHEMA_OR_NULL,
	    .help = "that they would have left by; null: not known",
	    .example = "\"wan0\""),
	FIELD("probes", SCHEMA_COUNT, .example = "120"),
	FIELD("since", SCHEMA_TIME,
	    .help = "the first of the hours in a row that had it; may be "
		    "before the day"),
	FIELD("last_at", SCHEMA_TIME, .help = "the last of them"),
	FIELD("hours", SCHEMA_COUNT | SCHEMA_LIST,
	    .help = "probes by hour, 24 of them, the earliest first",
	    .example = "0"),
	{ 0 },
};

static const struct schema_field alarm_fields[] = {
	FIELD("id", SCHEMA_TEXT, .example = "\"17\""),
	FIELD("signature", SCHEMA_TEXT | SCHEMA_OR_NULL, .help = "null: none",
	    .example = "\"slammer\""),
	FIELD("verdict", SCHEMA_TEXT, .example = "\"worm\""),
	FIELD("agent", SCHEMA_ID | SCHEMA_OR_NULL,
	    .help = "null: all agents together", .example = "null"),
	FIELD(
	    "direction", SCHEMA_WORD, .of = "rise|fall", .example = "\"rise\""),
	FIELD("onset_at", SCHEMA_TIME, .help = "when it began"),
	FIELD("detected_at", SCHEMA_TIME, .help = "the bin that raised it"),
	FIELD("ended_at", SCHEMA_TIME | SCHEMA_OR_NULL,
	    .help = "null: it goes on", .example = "null"),
	FIELD("observed", SCHEMA_NUMBER,
	    .help = "sources per bin since the onset", .example = "212.5"),
	FIELD("expected", SCHEMA_NUMBER, .help = "by the baseline",
	    .example = "18.2"),
	FIELD("test", SCHEMA_TEXT, .help = "which test raised it",
	    .example = "\"cusum\""),
	FIELD("average_run_length", SCHEMA_NUMBER,
	    .help = "bins between false alarms, on average", .of = "0..",
	    .example = "10080"),
	FIELD("bin_s", SCHEMA_INTEGER, .help = "the bins that it judged",
	    .of = "1..", .example = "60"),
	FIELD("within", SCHEMA_TEXT | SCHEMA_OR_NULL,
	    .help = "of one agent's: the alarm of all agents together that it "
		    "is a part of, the same outbreak; null: none",
	    .example = "null"),
	FIELD("agents", SCHEMA_ID | SCHEMA_LIST,
	    .help = "of all together: whose own alarms are within this one"),
	FIELD("detector", SCHEMA_TEXT,
	    .help = "spikes: of a series; blind: an interface that a sensor "
		    "does not watch, named in test; silence: of a sensor that "
		    "does not say what it watches",
	    .example = "\"spikes\""),
	{ 0 },
};

static const struct schema_field campaign_fields[] = {
	FIELD(
	    "id", SCHEMA_ID, .example = "\"00112233445566778899aabbccddeeff\""),
	FIELD("script", SCHEMA_TEXT, .example = "\"trace\""),
	FIELD("targets", SCHEMA_TEXT | SCHEMA_LIST, .example = "\"192.0.2.1\""),
	FIELD("options", SCHEMA_ANY, .help = "for the script",
	    .example = "{\"method\": \"udp\"}"),
	FIELD("on", SCHEMA_TEXT | SCHEMA_LIST,
	    .help = "tags or names of agents, or \"all\"",
	    .example = "\"europe\""),
	FIELD("every_s", SCHEMA_INTEGER | SCHEMA_OR_NULL,
	    .help = "seconds between runs; null: once", .of = "1..",
	    .example = "60"),
	FIELD("until", SCHEMA_TIME | SCHEMA_OR_NULL,
	    .help = "null: until it is stopped", .example = "null"),
	FIELD("created_at", SCHEMA_TIME, .help = "when it was made"),
	FIELD("state", SCHEMA_WORD, .of = "active|ended|stopped",
	    .example = "\"active\""),
	FIELD("agents", SCHEMA_ID | SCHEMA_LIST, .help = "who takes part"),
	FIELD("failed_runs", SCHEMA_COUNT,
	    .help = "runs that an agent reported an error of", .example = "0"),
	FIELD("last_error", SCHEMA_TEXT | SCHEMA_OR_NULL,
	    .help = "the newest of those errors", .example = "null"),
	FIELD("warnings", SCHEMA_TEXT | SCHEMA_LIST | SCHEMA_OPTIONAL,
	    .help = "only in the answer to its submission: what was accepted "
		    "and yet is likely a slip, such as a tag that no agent has",
	    .example = "\"on: no agent has the name or the tag 'asia'\""),
	{ 0 },
};

static const struct schema_field campaign_new_fields[] = {
	FIELD("script", SCHEMA_TEXT,
	    .help = "the name of a script that the agents have",
	    .example = "\"trace\""),
	FIELD("targets", SCHEMA_TEXT | SCHEMA_LIST,
	    .help = "a numeric address of one host; a link-local one with "
		    "the agent's device, fe80::1%eth0",
	    .items = "1..256", .example = "\"192.0.2.1\""),
	FIELD("options", SCHEMA_ANY | SCHEMA_OPTIONAL,
	    .help = "for the script; interface (a device's name), source (an "
		    "address, or a list with one of each family) and mark (1 "
		    "to 0xffffffff) are for the agent, which fails the run "
		    "where its operator does not allow the choice",
	    .example = "{\"method\": \"udp\"}"),
	FIELD("on", SCHEMA_TEXT | SCHEMA_LIST,
	    .help = "tags or names of agents, or \"all\"",
	    .example = "\"europe\""),
	FIELD("every_s", SCHEMA_INTEGER | SCHEMA_OR_NULL | SCHEMA_OPTIONAL,
	    .help = "null: once", .of = "1..", .example = "60"),
	FIELD("until", SCHEMA_TIME | SCHEMA_OR_NULL | SCHEMA_OPTIONAL,
	    .help = "null: until it is stopped"),
	{ 0 },
};

static const struct schema_field document_fields[] = {
	FIELD("openapi", SCHEMA_TEXT, .example = "\"3.1.0\""),
	{ 0 },
};

static const struct schema_field enrol_request_fields[] = {
	FIELD("token", SCHEMA_TEXT, .example = "\"c29uZGU...\""),
	FIELD("public_key", SCHEMA_HEX, .help = "Ed25519", .of = "64",
	    .example = "\"0123456789abcdef0123456789abcdef0123456789abcdef01234"
		       "56789abcdef\""),
	FIELD("name", SCHEMA_TEXT, .example = "\"ams\""),
	FIELD("version", SCHEMA_TEXT, .example = "\"0.1.0\""),
	FIELD("signature", SCHEMA_HEX,
	    .help = "Ed25519 over \"sonde-enrol\", NUL, token, NUL, the 32 "
		    "bytes of the key, NUL, name",
	    .of = "128",
	    .example = "\"0123456789abcdef0123456789abcdef0123456789abcdef01234"
		       "56789abcdef0123456789abcdef0123456789abcdef0123456789ab"
		       "cdef0123456789abcdef\""),
	{ 0 },
};

static const struct schema_field enrolled_fields[] = {
	FIELD("agent", SCHEMA_ID),
	FIELD("name", SCHEMA_TEXT, .example = "\"ams\""),
	FIELD("tags", SCHEMA_TEXT | SCHEMA_LIST, .example = "\"europe\""),
	FIELD("generation", SCHEMA_ID,
	    .help = "of the collector's database; a restore changes it",
	    .example = "\"00112233445566778899aabbccddeeff\""),
	FIELD("server_time", SCHEMA_TIME, .help = "what time it is here"),
	{ 0 },
};

static const struct schema_field event_fields[] = {
	FIELD("at", SCHEMA_TIME),
	FIELD("type", SCHEMA_WORD,
	    .help = "also the SSE event's type; gone: some events that were "
		    "asked for are no longer kept",
	    .of = "agent|alarm|sighting|run|gap|gone"),
	FIELD("text", SCHEMA_TEXT, .help = "one line for a human"),
	{ 0 },
};

static const struct schema_field health_check_fields[] = {
	FIELD("status", SCHEMA_TEXT),
	FIELD("detail", SCHEMA_TEXT | SCHEMA_OPTIONAL),
	{ 0 },
};

static const struct schema_field health_fields[] = {
	FIELD("status", SCHEMA_WORD, .of = "ok|degraded", .example = "\"ok\""),
	FIELD("checks", SCHEMA_MAP, .of = "HealthCheck"),
	{ 0 },
};

static const struct schema_field link_fields[] = {
	FIELD("id", SCHEMA_TEXT, .help = "FROM>TO, by node id",
	    .example = "\"198.18.2.5>198.18.3.5\""),
	FIELD("from", SCHEMA_TEXT, .example = "\"198.18.2.5\""),
	FIELD("to", SCHEMA_TEXT, .example = "\"198.18.3.5\""),
	FIELD("traces", SCHEMA_COUNT, .help = "traces that crossed it",
	    .example = "840"),
	FIELD("delay_ns", SCHEMA_COUNT | SCHEMA_OR_NULL,
	    .help = "delay that the link adds to a round trip: the median over "
		    "paths; null: not known",
	    .example = "105000000"),
	FIELD("delay_mad_ns", SCHEMA_COUNT | SCHEMA_OR_NULL,
	    .help = "median absolute deviation of that; null: not known",
	    .example = "9000000"),
	FIELD("loss", SCHEMA_NUMBER | SCHEMA_OR_NULL,
	    .help = "share of probes lost here, as far as replies show",
	    .of = "0..1", .example = "0"),
	FIELD("loss_low", SCHEMA_NUMBER | SCHEMA_OR_NULL,
	    .help = "the share that the samples make sure of: lower end of its "
		    "95 % interval, below zero where chance explains it",
	    .of = "-1..1", .example = "0"),
	FIELD("loss_samples", SCHEMA_COUNT, .help = "probes behind that share",
	    .example = "1680"),
	FIELD("first_at", SCHEMA_TIME,
	    .help = "first trace over it in the range"),
	FIELD("last_at", SCHEMA_TIME, .help = "last one"),
	{ 0 },
};

static const struct schema_field link_bin_fields[] = {
	FIELD("at", SCHEMA_TIME, .help = "start of the bin"),
	FIELD("delay_min_ns", SCHEMA_COUNT | SCHEMA_OR_NULL,
	    .help = "least; null: not known", .example = "12000000"),
	FIELD("delay_median_ns", SCHEMA_COUNT | SCHEMA_OR_NULL,
	    .help = "median; null: not known", .example = "105000000"),
	FIELD("delay_max_ns", SCHEMA_COUNT | SCHEMA_OR_NULL,
	    .help = "most; null: not known", .example = "180000000"),
	FIELD("loss", SCHEMA_NUMBER | SCHEMA_OR_NULL,
	    .help = "share of probes lost", .of = "0..1", .example = "0"),
	FIELD("samples", SCHEMA_COUNT, .help = "traces behind the bin",
	    .example = "14"),
	{ 0 },
};

static const struct schema_field link_series_fields[] = {
	FIELD("bin_s", SCHEMA_INTEGER,
	    .help = "the bin that was used: asked for, or chosen for the range",
	    .of = "1..", .example = "60"),
	FIELD("bins", SCHEMA_OBJECT | SCHEMA_LIST, .of = "LinkBin"),
	{ 0 },
};

static const struct schema_field node_rejects_fields[] = {
	FIELD("traces", SCHEMA_COUNT, .help = "traces that it rejected",
	    .example = "12"),
	FIELD("with", SCHEMA_TEXT, .help = "what its last ICMP error says",
	    .example = "\"administratively prohibited\""),
	FIELD("since", SCHEMA_TIME,
	    .help = "the first of the days in a row in which it did, up to the "
		    "map's; may be before the map, by up to 90 days"),
	FIELD("first_at", SCHEMA_TIME, .help = "in the map's time"),
	FIELD("last_at", SCHEMA_TIME, .help = "likewise"),
	{ 0 },
};

static const struct schema_field node_fields[] = {
	FIELD("id", SCHEMA_TEXT,
	    .help = "the address, or ?BEFORE~AFTER~INDEX/LENGTH for a place "
		    "where no router answered",
	    .example = "\"198.18.2.5\""),
	FIELD("addr", SCHEMA_TEXT | SCHEMA_OR_NULL, .help = "null: no answer",
	    .example = "\"198.18.2.5\""),
	FIELD("role", SCHEMA_WORD, .of = "source|router|destination",
	    .example = "\"router\""),
	FIELD("traces", SCHEMA_COUNT, .help = "traces through it",
	    .example = "840"),
	FIELD("rtt_min_ns", SCHEMA_COUNT | SCHEMA_OR_NULL,
	    .help = "least round trip to it; null: not known",
	    .example = "9100000"),
	FIELD("loss", SCHEMA_NUMBER | SCHEMA_OR_NULL,
	    .help = "share of probes to it without an answer; a rejection in a "
		    "target's place is none",
	    .of = "0..1", .example = "0.01"),
	FIELD("mpls", SCHEMA_BOOLEAN, .help = "answers carried MPLS labels",
	    .example = "false"),
	FIELD("agents", SCHEMA_ID | SCHEMA_LIST,
	    .help = "the agents that saw it"),
	FIELD("rejects", SCHEMA_OBJECT | SCHEMA_OPTIONAL, .of = "NodeRejects",
	    .help = "where it answers in a target's place that it is not to be "
		    "reached, as routers and firewalls do"),
	FIELD("name", SCHEMA_TEXT | SCHEMA_OR_NULL,
	    .help = "of the agent whose address it is", .example = "null"),
	{ 0 },
};

static const struct schema_field agent_totals_fields[] = {
	FIELD("up", SCHEMA_COUNT, .example = "5"),
	FIELD("late", SCHEMA_COUNT, .example = "0"),
	FIELD("blind", SCHEMA_COUNT,
	    .help = "up, but not watching all that their sensors are to",
	    .example = "0"),
	FIELD("total", SCHEMA_COUNT, .example = "5"),
	{ 0 },
};

static const struct schema_field record_totals_fields[] = {
	FIELD("stored", SCHEMA_COUNT, .example = "54012"),
	FIELD("lost", SCHEMA_COUNT, .example = "0"),
	FIELD("per_second", SCHEMA_NUMBER, .of = "0..", .example = "2.5"),
	{ 0 },
};

static const struct schema_field overview_fields[] = {
	FIELD("now", SCHEMA_TIME, .help = "the collector's clock"),
	FIELD("agents", SCHEMA_OBJECT, .of = "AgentTotals"),
	FIELD("worst_links", SCHEMA_OBJECT | SCHEMA_LIST,
	    .help = "at most ten, worst first", .of = "WorstLink"),
	FIELD("alarms", SCHEMA_OBJECT | SCHEMA_LIST,
	    .help = "those that go on, none that is within another; where they "
		    "are few, the last ones of a week that are over",
	    .of = "Alarm"),
	FIELD("records", SCHEMA_OBJECT, .of = "RecordTotals"),
	{ 0 },
};

static const struct schema_field payload_fields[] = {
	FIELD("hash", SCHEMA_ID,
	    .help = "BLAKE2b-128 of the octets as captured",
	    .example = "\"00112233445566778899aabbccddeeff\""),
	FIELD("size_bytes", SCHEMA_COUNT, .help = "on the wire",
	    .example = "376"),
	FIELD("sha256", SCHEMA_HEX, .help = "of the same octets", .of = "64",
	    .example = "\"00112233445566778899aabbccddeeff"
		       "00112233445566778899aabbccddeeff\""),
	FIELD("hex", SCHEMA_HEX, .help = "the octets",
	    .example = "\"0401010101\""),
	{ 0 },
};

static const struct schema_field evidence_fields[] = {
	FIELD("agent", SCHEMA_ID, .help = "whose sensor captured it"),
	FIELD(
	    "src", SCHEMA_TEXT | SCHEMA_OR_NULL, .example = "\"203.0.113.9\""),
	FIELD("verdict", SCHEMA_TEXT, .example = "\"worm\""),
	FIELD("signature", SCHEMA_TEXT | SCHEMA_OR_NULL, .help = "null: none",
	    .example = "\"slammer\""),
	FIELD("rule", SCHEMA_TEXT | SCHEMA_OR_NULL,
	    .help = "that gave the verdict", .example = "\"payload\""),
	FIELD("rule_version", SCHEMA_COUNT, .example = "1"),
	FIELD("captured_at", SCHEMA_TIME),
	FIELD("size_bytes", SCHEMA_COUNT, .help = "on the wire, IP length",
	    .example = "404"),
	FIELD("hex", SCHEMA_HEX,
	    .help = "from the IP header on, at most 256 octets",
	    .example = "\"45000194\""),
	{ 0 },
};

static const struct schema_field problem_fields[] = {
	FIELD("type", SCHEMA_URI, .help = "urn:sonde:problem: and the code"),
	FIELD("title", SCHEMA_TEXT,
	    .help = "the same for every problem of this code"),
	FIELD("status", SCHEMA_INTEGER, .of = "400..599"),
	FIELD("detail", SCHEMA_TEXT, .help = "what happened here, for a human"),
	FIELD("instance", SCHEMA_TEXT, .help = "the path that was asked for"),
	FIELD("code", SCHEMA_PROBLEM,
	    .help = "for programs; never changes its meaning"),
	FIELD("expected", SCHEMA_COUNT | SCHEMA_OPTIONAL,
	    .help = "gap: the sequence number to send from"),
	FIELD("epoch", SCHEMA_COUNT | SCHEMA_OPTIONAL,
	    .help = "gap: of which epoch"),
	FIELD("server_time", SCHEMA_TIME | SCHEMA_OPTIONAL,
	    .help = "clock: what time it is here"),
	{ 0 },
};

static const struct schema_field result_schema_fields[] = {
	FIELD("hash", SCHEMA_ID, .help = "BLAKE2b-128 of its content"),
	FIELD("script", SCHEMA_TEXT, .example = "\"my-script\""),
	FIELD("tables", SCHEMA_OBJECT | SCHEMA_LIST, .of = "ResultTable"),
	FIELD("first_at", SCHEMA_TIME, .help = "when it came first"),
	{ 0 },
};

static const struct schema_field result_row_fields[] = {
	FIELD("agent", SCHEMA_ID),
	FIELD("epoch", SCHEMA_COUNT),
	FIELD("seq", SCHEMA_COUNT),
	FIELD("recorded_at", SCHEMA_TIME),
	FIELD("campaign", SCHEMA_ID | SCHEMA_OR_NULL, .example = "null"),
	FIELD("run", SCHEMA_INTEGER | SCHEMA_OR_NULL, .of = "1..",
	    .example = "null"),
	FIELD("hash", SCHEMA_ID, .help = "of the schema it was recorded by"),
	FIELD("row", SCHEMA_ANY,
	    .help = "by column; times and durations in ns, a time `at_ns` also "
		    "as text `at`",
	    .example = "{\"dst\": \"192.0.2.1\", \"loss\": 0.25}"),
	{ 0 },
};

static const struct schema_field result_rows_fields[] = {
	FIELD("items", SCHEMA_OBJECT | SCHEMA_LIST, .of = "ResultRow"),
	FIELD("next", SCHEMA_TEXT | SCHEMA_OR_NULL,
	    .help = "the cursor of the next page", .example = "null"),
	FIELD("script", SCHEMA_TEXT, .example = "\"my-script\""),
	FIELD("hash", SCHEMA_ID, .help = "of the newest schema"),
	FIELD("table", SCHEMA_OBJECT, .of = "ResultTable"),
	{ 0 },
};

static const struct schema_field run_fields[] = {
	FIELD("campaign", SCHEMA_ID,
	    .example = "\"00112233445566778899aabbccddeeff\""),
	FIELD("run", SCHEMA_INTEGER, .help = "from 1", .of = "1..",
	    .example = "7"),
	FIELD("agent", SCHEMA_ID),
	FIELD("script", SCHEMA_TEXT, .example = "\"trace\""),
	FIELD("first_at", SCHEMA_TIME, .help = "its first record"),
	FIELD("last_at", SCHEMA_TIME, .help = "its last"),
	FIELD("records", SCHEMA_COUNT,
	    .help = "results, without the script's log lines", .example = "4"),
	FIELD("error", SCHEMA_TEXT | SCHEMA_OR_NULL,
	    .help =
		"why it failed, as its agent reported; null: it did not, or "
		"nothing came",
	    .example = "null"),
	{ 0 },
};

static const struct schema_field series_point_fields[] = {
	FIELD("at", SCHEMA_TIME, .help = "start of the bin"),
	FIELD("sources", SCHEMA_COUNT | SCHEMA_OR_NULL,
	    .help = "distinct ones; null: no sensor watched", .example = "212"),
	FIELD("sources_at_least", SCHEMA_BOOLEAN,
	    .help = "`sources` is a lower bound: an agent sent packets without "
		    "the addresses that sent them",
	    .example = "false"),
	FIELD("packets", SCHEMA_COUNT | SCHEMA_OR_NULL, .example = "1031"),
	FIELD("expected", SCHEMA_NUMBER | SCHEMA_OR_NULL,
	    .help = "by the baseline; null: it still learns",
	    .example = "18.2"),
	FIELD("low", SCHEMA_NUMBER | SCHEMA_OR_NULL, .help = "of the band",
	    .example = "6.1"),
	FIELD("high", SCHEMA_NUMBER | SCHEMA_OR_NULL, .help = "of the band",
	    .example = "30.4"),
	FIELD("missing", SCHEMA_BOOLEAN,
	    .help = "no sensor watched: not a zero", .example = "false"),
	{ 0 },
};

static const struct schema_field one_series_fields[] = {
	FIELD("signature", SCHEMA_TEXT | SCHEMA_OR_NULL, .help = "null: none",
	    .example = "\"slammer\""),
	FIELD("verdict", SCHEMA_TEXT, .example = "\"worm\""),
	FIELD("agent", SCHEMA_ID | SCHEMA_OR_NULL, .help = "null: all together",
	    .example = "null"),
	FIELD("points", SCHEMA_OBJECT | SCHEMA_LIST, .of = "SeriesPoint"),
	FIELD("alarms", SCHEMA_OBJECT | SCHEMA_LIST, .of = "Alarm"),
	{ 0 },
};

static const struct schema_field series_fields[] = {
	FIELD("bin_s", SCHEMA_INTEGER,
	    .help = "the bin that was used: asked for, or chosen for the range",
	    .of = "1..", .example = "60"),
	FIELD("series", SCHEMA_OBJECT | SCHEMA_LIST,
	    .help = "at most 200 with 40000 points; of more, those of the "
		    "classes with most packets ever",
	    .of = "OneSeries"),
	FIELD("classes_left_out", SCHEMA_COUNT,
	    .help = "classes for which there was no room: a signature, a "
		    "wider bin or a shorter range shows them",
	    .example = "0"),
	{ 0 },
};

static const struct schema_field sighting_fields[] = {
	FIELD("src", SCHEMA_TEXT, .example = "\"203.0.113.9\""),
	FIELD("verdict", SCHEMA_WORD,
	    .of = "worm|scan|probe|backscatter|flood|misconfiguration|"
		  "unrouted|other",
	    .example = "\"worm\""),
	FIELD("signature", SCHEMA_TEXT | SCHEMA_OR_NULL, .help = "null: none",
	    .example = "\"slammer\""),
	FIELD("proto", SCHEMA_COUNT, .help = "IP protocol number",
	    .example = "17"),
	FIELD("dport", SCHEMA_COUNT, .help = "ICMP: type << 8 | code",
	    .example = "1434"),
	FIELD("packets", SCHEMA_COUNT, .example = "31"),
	FIELD("targets", SCHEMA_COUNT,
	    .help = "distinct destinations, over the whole range",
	    .example = "12"),
	FIELD("targets_estimated", SCHEMA_BOOLEAN,
	    .help = "about so many (standard error 9.2 %)"),
	FIELD("ports", SCHEMA_COUNT | SCHEMA_OR_NULL,
	    .help = "distinct ones together here, the most of any interval; "
		    "null: not told",
	    .example = "1"),
	FIELD("ports_at_least", SCHEMA_BOOLEAN),
	FIELD("addresses", SCHEMA_COUNT | SCHEMA_OR_NULL,
	    .help = "of the source's /64 that it used; null: one, or not told",
	    .example = "null"),
	FIELD("odds", SCHEMA_COUNT | SCHEMA_OR_NULL,
	    .help = "an innocent source does this less often than once in so "
		    "many; null: not stated",
	    .example = "40000"),
	FIELD("victim", SCHEMA_TEXT | SCHEMA_OR_NULL,
	    .help = "backscatter: who was attacked; null: none, or not told",
	    .example = "null"),
	FIELD("first_at", SCHEMA_TIME, .help = "first packet"),
	FIELD("last_at", SCHEMA_TIME, .help = "last packet"),
	FIELD(
	    "agents", SCHEMA_ID | SCHEMA_LIST, .help = "whose sensors saw it"),
	FIELD("payload_hash", SCHEMA_ID | SCHEMA_OR_NULL,
	    .example = "\"00112233445566778899aabbccddeeff\""),
	FIELD("spoofable", SCHEMA_BOOLEAN,
	    .help = "nothing shows that the source address is real",
	    .example = "true"),
	{ 0 },
};

static const struct schema_field gap_fields[] = {
	FIELD("agent", SCHEMA_ID | SCHEMA_OR_NULL,
	    .help = "null: not enrolled here any more"),
	FIELD("at", SCHEMA_TIME, .help = "when the agent noticed"),
	FIELD("epoch", SCHEMA_COUNT, .help = "whose numbers are gone",
	    .example = "1"),
	FIELD("from_seq", SCHEMA_COUNT | SCHEMA_OR_NULL,
	    .help = "the first range; null: they had no numbers yet",
	    .example = "1200"),
	FIELD("to_seq", SCHEMA_COUNT | SCHEMA_OR_NULL, .example = "1499"),
	FIELD("records", SCHEMA_COUNT,
	    .help = "lost in all, in further ranges too", .example = "300"),
	FIELD("reason", SCHEMA_TEXT, .example = "\"spool-full\""),
	{ 0 },
};

static const struct schema_field signature_fields[] = {
	FIELD("signature", SCHEMA_TEXT | SCHEMA_OR_NULL, .help = "null: none",
	    .example = "\"slammer\""),
	FIELD("verdict", SCHEMA_TEXT, .example = "\"worm\""),
	FIELD(
	    "sources", SCHEMA_COUNT, .help = "distinct ones", .example = "512"),
	FIELD("sources_at_least", SCHEMA_BOOLEAN,
	    .help = "`sources` is a lower bound: an agent sent packets without "
		    "the addresses that sent them",
	    .example = "false"),
	FIELD("packets", SCHEMA_COUNT, .example = "41003"),
	FIELD("first_at", SCHEMA_TIME, .help = "first seen"),
	FIELD("last_at", SCHEMA_TIME, .help = "last seen"),
	{ 0 },
};

static const struct schema_field stored_fields[] = {
	FIELD("result", SCHEMA_WORD, .of = "stored|duplicate",
	    .example = "\"stored\""),
	FIELD("generation", SCHEMA_ID,
	    .example = "\"00112233445566778899aabbccddeeff\""),
	FIELD("epoch", SCHEMA_COUNT, .example = "1"),
	FIELD("next", SCHEMA_INTEGER, .help = "all below are committed",
	    .of = "1..", .example = "913"),
	{ 0 },
};

static const struct schema_field token_fields[] = {
	FIELD("token", SCHEMA_TEXT, .help = "shown once; only its hash is kept",
	    .example = "\"c29uZGU...\""),
	FIELD("expires_at", SCHEMA_TIME, .help = "when it stops working"),
	{ 0 },
};

static const struct schema_field token_new_fields[] = {
	FIELD("name", SCHEMA_TEXT | SCHEMA_OPTIONAL,
	    .help = "for the agent; it may not choose another",
	    .example = "\"ams\""),
	FIELD("tags", SCHEMA_TEXT | SCHEMA_LIST | SCHEMA_OPTIONAL,
	    .example = "\"europe\""),
	FIELD("ttl_s", SCHEMA_INTEGER | SCHEMA_OPTIONAL, .help = "default 900",
	    .of = "1..", .example = "900"),
	{ 0 },
};

static const struct schema_field topology_fields[] = {
	FIELD("from", SCHEMA_TIME, .help = "start of the range"),
	FIELD("to", SCHEMA_TIME, .help = "its end"),
	FIELD("nodes", SCHEMA_OBJECT | SCHEMA_LIST, .of = "Node"),
	FIELD("links", SCHEMA_OBJECT | SCHEMA_LIST, .of = "Link"),
	FIELD("paths_left_out", SCHEMA_COUNT,
	    .help = "a map has at most 16384 nodes and 65536 links, of the "
		    "paths with most traces; so many paths are not on it",
	    .example = "0"),
	FIELD("addresses_left_out", SCHEMA_COUNT,
	    .help = "about how many addresses answered on those alone",
	    .example = "0"),
	{ 0 },
};

static const struct schema_field work_item_fields[] = {
	FIELD(
	    "id", SCHEMA_ID, .example = "\"00112233445566778899aabbccddeeff\""),
	FIELD("script", SCHEMA_TEXT, .example = "\"trace\""),
	FIELD("targets", SCHEMA_TEXT | SCHEMA_LIST, .example = "\"192.0.2.1\""),
	FIELD("options", SCHEMA_ANY, .example = "{}"),
	FIELD("every_s", SCHEMA_INTEGER | SCHEMA_OR_NULL, .of = "1..",
	    .example = "60"),
	FIELD("until", SCHEMA_TIME | SCHEMA_OR_NULL,
	    .help = "null: until it is no longer in the list",
	    .example = "null"),
	FIELD("started_at", SCHEMA_TIME, .help = "runs are counted from here"),
	FIELD("last_run", SCHEMA_COUNT,
	    .help = "the highest run of this agent that we hold; 0: none",
	    .example = "7"),
	{ 0 },
};

static const struct schema_field work_fields[] = {
	FIELD("revision", SCHEMA_COUNT, .help = "give it back as `after`",
	    .example = "12"),
	FIELD("campaigns", SCHEMA_OBJECT | SCHEMA_LIST, .of = "WorkItem"),
	{ 0 },
};

static const struct schema_field worst_link_fields[] = {
	FIELD("score", SCHEMA_NUMBER,
	    .help = "how bad; comparable between links", .of = "0..",
	    .example = "10.5"),
	FIELD("why", SCHEMA_WORD, .of = "slow|lossy|slow and lossy",
	    .example = "\"slow\""),
	{ 0 },
};

const struct schema api_schemas[] = {
	{ .name = "Agent", .fields = agent_fields },
	{ .name = "AgentClock", .fields = agent_clock_fields },
	{ .name = "AgentInterface", .fields = agent_interface_fields },
	{ .name = "AgentTotals", .fields = agent_totals_fields },
	{ .name = "AgentUnsent", .fields = agent_unsent_fields },
	{ .name = "Alarm", .fields = alarm_fields },
	{ .name = "Campaign", .fields = campaign_fields },
	{ .name = "CampaignNew", .fields = campaign_new_fields },
	{ "Document", document_fields, .help = "An OpenAPI document.",
	    .open = true },
	{ .name = "EnrolRequest", .fields = enrol_request_fields },
	{ .name = "Enrolled", .fields = enrolled_fields },
	{ "Event", event_fields,
	    .help = "The data of one event. Each type has members of its own "
		    "beside these.",
	    .open = true },
	{ .name = "Evidence", .fields = evidence_fields },
	{ .name = "Health", .fields = health_fields },
	{ .name = "HealthCheck", .fields = health_check_fields },
	{ "Link", link_fields,
	    .help = "Two interfaces that answered one after the other; what "
		    "the round trips show of the way between them." },
	{ .name = "LinkBin", .fields = link_bin_fields },
	{ .name = "LinkSeries", .fields = link_series_fields },
	{ .name = "Node", .fields = node_fields },
	{ .name = "NodeRejects", .fields = node_rejects_fields },
	{ .name = "OneSeries", .fields = one_series_fields },
	{ .name = "Overview", .fields = overview_fields },
	{ .name = "Payload", .fields = payload_fields },
	{ "Problem", problem_fields, .help = "RFC 9457" },
	{ .name = "RecordTotals", .fields = record_totals_fields },
	{ .name = "ResultRow", .fields = result_row_fields },
	{ .name = "ResultRows", .fields = result_rows_fields },
	{ .name = "ResultSchema", .fields = result_schema_fields },
	{ .name = "Run", .fields = run_fields },
	{ .name = "Series", .fields = series_fields },
	{ .name = "SeriesPoint", .fields = series_point_fields },
	{ "Sighting", sighting_fields,
	    .help = "A source and class over the whole range." },
	{ .name = "DeclaredGap", .fields = gap_fields },
	{ .name = "Signature", .fields = signature_fields },
	{ .name = "Stored", .fields = stored_fields },
	{ .name = "Token", .fields = token_fields },
	{ .name = "TokenNew", .fields = token_new_fields },
	{ .name = "Topology", .fields = topology_fields },
	{ .name = "Work", .fields = work_fields },
	{ .name = "WorkItem", .fields = work_item_fields },
	{ "WorstLink", worst_link_fields, .help = "A link with its score.",
	    .base = "Link" },
	{ 0 },
};
