/* SPDX-License-Identifier: ISC */
/* Records as lib/record/record-json.c prints them. */

#include "lib/record/kinds.h"
#include "web/api/json-schema.h"

#define KIND_WORD(name, capitals, class, producers) "|" #name

static const struct schema_field heartbeat_fields[] = {
	FIELD("counters", SCHEMA_COUNTS),
	FIELD("uptime_ns", SCHEMA_COUNT),
	FIELD("version", SCHEMA_TEXT),
	FIELD("addresses", SCHEMA_TEXT | SCHEMA_LIST),
	{ 0 },
};

static const struct schema_field coverage_record_fields[] = {
	FIELD("interface", SCHEMA_TEXT, .example = "\"eth0\""),
	FIELD("state", SCHEMA_TEXT,
	    .help = "up: watched; down, absent: not; ended: a file",
	    .example = "\"up\""),
	FIELD("why", SCHEMA_TEXT, .help = "it was not watched; empty: it was"),
	FIELD("first_wall_ns", SCHEMA_INTEGER, .help = "the span's beginning"),
	FIELD("first_wall", SCHEMA_TIME),
	FIELD("last_wall_ns", SCHEMA_INTEGER),
	FIELD("last_wall", SCHEMA_TIME),
	FIELD("since_wall_ns", SCHEMA_INTEGER,
	    .help = "it was watched, or not, from then on"),
	FIELD("since_wall", SCHEMA_TIME),
	FIELD("captured", SCHEMA_COUNT, .help = "packets"),
	FIELD("dropped_kernel", SCHEMA_COUNT,
	    .help = "by the device or the kernel's queue"),
	FIELD("dropped_ring", SCHEMA_COUNT, .help = "for want of room in it"),
	FIELD("dropped_own", SCHEMA_COUNT, .help = "captured, but never read"),
	FIELD("ring_bytes", SCHEMA_COUNT, .help = "at the end of the span"),
	FIELD("not_understood", SCHEMA_COUNTS,
	    .help = "of the captured, by reason"),
	{ 0 },
};

static const struct schema_field log_record_fields[] = {
	FIELD("level", SCHEMA_COUNT,
	    .help = "0 error, 1 warning, 2 info, 3 debug", .example = "2"),
	FIELD("process", SCHEMA_TEXT, .example = "\"sensor\""),
	FIELD("text", SCHEMA_TEXT, .example = "\"capturing on eth0\""),
	{ 0 },
};

static const struct schema_field gap_fields[] = {
	FIELD("epoch", SCHEMA_COUNT),
	FIELD("from_seq", SCHEMA_COUNT),
	FIELD("to_seq", SCHEMA_COUNT, .help = "inclusive"),
	FIELD("reason", SCHEMA_TEXT),
	FIELD("unnumbered", SCHEMA_COUNT,
	    .help = "dropped before they had a number"),
	{ 0 },
};

static const struct schema_field paths_link_fields[] = {
	FIELD("ttl", SCHEMA_COUNT, .help = "of the near end"),
	FIELD("near", SCHEMA_TEXT | SCHEMA_OR_NULL, .help = "an address"),
	FIELD("far", SCHEMA_TEXT | SCHEMA_OR_NULL, .help = "an address"),
	FIELD("flows", SCHEMA_COUNT),
	{ 0 },
};

static const struct schema_field paths_fields[] = {
	FIELD("src", SCHEMA_TEXT | SCHEMA_OR_NULL, .help = "an address"),
	FIELD("dst", SCHEMA_TEXT | SCHEMA_OR_NULL, .help = "an address"),
	FIELD("method", SCHEMA_TEXT),
	FIELD("links", SCHEMA_OBJECT | SCHEMA_LIST, .of = "PathsLink"),
	{ 0 },
};

static const struct schema_field payload_record_fields[] = {
	FIELD("hash", SCHEMA_ID | SCHEMA_OR_NULL),
	FIELD("octets", SCHEMA_TEXT | SCHEMA_OR_NULL, .help = "hex"),
	FIELD("size_bytes", SCHEMA_COUNT, .help = "on the wire"),
	FIELD("sha256", SCHEMA_TEXT | SCHEMA_OR_NULL,
	    .help = "hex, of the same octets"),
	{ 0 },
};

static const struct schema_field evidence_record_fields[] = {
	FIELD("src", SCHEMA_TEXT | SCHEMA_OR_NULL, .help = "an address"),
	FIELD("verdict", SCHEMA_TEXT),
	FIELD("signature", SCHEMA_TEXT, .help = "empty: none"),
	FIELD("rule", SCHEMA_TEXT, .help = "that gave the verdict"),
	FIELD("rule_version", SCHEMA_COUNT),
	FIELD("packet_wall_ns", SCHEMA_INTEGER, .help = "when it was captured"),
	FIELD("packet_wall", SCHEMA_TIME),
	FIELD("size_bytes", SCHEMA_COUNT, .help = "on the wire, IP length"),
	FIELD("packet", SCHEMA_TEXT | SCHEMA_OR_NULL,
	    .help = "hex, from the IP header on, at most 256 octets"),
	{ 0 },
};

#define REMARKS                                                             \
	"what is no outcome: redirects, source quenches, and errors whose " \
	"probe was answered all the same"
#define OUTCOMES                                                            \
	"unknown|answered|hop|rejected|late|other-address|not-sent|denied|" \
	"ambiguous|silent"

static const struct schema_field ping_fields[] = {
	FIELD("src", SCHEMA_TEXT | SCHEMA_OR_NULL, .help = "an address"),
	FIELD("dst", SCHEMA_TEXT | SCHEMA_OR_NULL, .help = "an address"),
	FIELD("dst_name", SCHEMA_TEXT),
	FIELD("method", SCHEMA_TEXT),
	FIELD("sent", SCHEMA_COUNT),
	FIELD("received", SCHEMA_COUNT,
	    .help = "answered by the target itself, within the wait"),
	FIELD("rtt_min_ns", SCHEMA_COUNT | SCHEMA_OPTIONAL),
	FIELD("rtt_avg_ns", SCHEMA_COUNT | SCHEMA_OPTIONAL),
	FIELD("rtt_max_ns", SCHEMA_COUNT | SCHEMA_OPTIONAL),
	FIELD("size_bytes", SCHEMA_COUNT),
	FIELD("replies", SCHEMA_OBJECT | SCHEMA_LIST, .of = "Reply"),
	FIELD("not_sent", SCHEMA_COUNT, .help = "neither sent nor lost"),
	FIELD("denied", SCHEMA_COUNT, .help = "neither sent nor lost"),
	FIELD("late", SCHEMA_COUNT),
	FIELD("rejected", SCHEMA_COUNT),
	FIELD("other_address", SCHEMA_COUNT),
	FIELD("ambiguous", SCHEMA_COUNT),
	FIELD("error", SCHEMA_TEXT,
	    .help = "why the first was not sent; empty: all were"),
	FIELD("tos", SCHEMA_COUNT),
	FIELD("wait_ns", SCHEMA_COUNT),
	FIELD("device", SCHEMA_TEXT, .help = "that the probes left by"),
	FIELD("next_hop", SCHEMA_TEXT | SCHEMA_OR_NULL),
	FIELD("remarks", SCHEMA_OBJECT | SCHEMA_LIST, .of = "Reply",
	    .help = REMARKS),
	FIELD("interval_ns", SCHEMA_COUNT | SCHEMA_OPTIONAL,
	    .help = "between two probes"),
	FIELD("sport", SCHEMA_COUNT | SCHEMA_OPTIONAL,
	    .help = "of the first; the id of echo requests"),
	FIELD("dport", SCHEMA_COUNT | SCHEMA_OPTIONAL, .help = "not of icmp"),
	FIELD("replies_left_out", SCHEMA_COUNT,
	    .help = "the last ones, above the bounds of a record; the sums "
		    "are of all"),
	{ 0 },
};

static const struct schema_field record_fields[] = {
	FIELD("schema", SCHEMA_WORD, .of = "sonde-record/1",
	    .example = "\"sonde-record/1\""),
	FIELD("kind", SCHEMA_WORD, .of = RECORD_KINDS(KIND_WORD),
	    .example = "\"log\""),
	FIELD("wall_ns", SCHEMA_INTEGER, .help = "when it was made, UTC",
	    .example = "1795312745123456000"),
	FIELD("wall", SCHEMA_TIME),
	FIELD("mono_ns", SCHEMA_INTEGER, .help = "the same instant, monotonic",
	    .example = "9123456789"),
	FIELD("clock_state", SCHEMA_WORD,
	    .of = "unknown|synchronised|unsynchronised",
	    .example = "\"synchronised\""),
	FIELD("clock_error_ns", SCHEMA_COUNT, .example = "350000"),
	FIELD("campaign", SCHEMA_ID | SCHEMA_OR_NULL, .example = "null"),
	FIELD("run", SCHEMA_COUNT, .help = "from 1; 0: none", .example = "0"),
	FIELD("trace", SCHEMA_OBJECT | SCHEMA_OPTIONAL, .of = "Trace"),
	FIELD("ping", SCHEMA_OBJECT | SCHEMA_OPTIONAL, .of = "Ping"),
	FIELD("paths", SCHEMA_OBJECT | SCHEMA_OPTIONAL, .of = "Paths"),
	FIELD("train", SCHEMA_OBJECT | SCHEMA_OPTIONAL, .of = "Train"),
	FIELD("sighting", SCHEMA_OBJECT | SCHEMA_OPTIONAL,
	    .of = "SightingRecord"),
	FIELD(
	    "payload", SCHEMA_OBJECT | SCHEMA_OPTIONAL, .of = "PayloadRecord"),
	FIELD("heartbeat", SCHEMA_OBJECT | SCHEMA_OPTIONAL, .of = "Heartbeat"),
	FIELD("gap", SCHEMA_OBJECT | SCHEMA_OPTIONAL, .of = "Gap"),
	FIELD("log", SCHEMA_OBJECT | SCHEMA_OPTIONAL, .of = "LogRecord",
	    .example = ""),
	FIELD("result_schema", SCHEMA_OBJECT | SCHEMA_OPTIONAL,
	    .of = "ResultSchemaRecord"),
	FIELD("result", SCHEMA_OBJECT | SCHEMA_OPTIONAL, .of = "ResultRecord"),
	FIELD("coverage", SCHEMA_OBJECT | SCHEMA_OPTIONAL,
	    .of = "CoverageRecord"),
	FIELD("evidence", SCHEMA_OBJECT | SCHEMA_OPTIONAL,
	    .of = "EvidenceRecord"),
	{ 0 },
};

static const struct schema_field mpls_entry_fields[] = {
	FIELD("label", SCHEMA_INTEGER),
	FIELD("traffic_class", SCHEMA_INTEGER),
	FIELD("bottom", SCHEMA_BOOLEAN),
	FIELD("ttl", SCHEMA_INTEGER),
	{ 0 },
};

static const struct schema_field interface_info_fields[] = {
	FIELD("role", SCHEMA_WORD, .help = "what the interface did",
	    .of = "incoming|sub-ip|outgoing|next-hop|asked-for"),
	FIELD("index", SCHEMA_COUNT | SCHEMA_OPTIONAL),
	FIELD("address", SCHEMA_TEXT | SCHEMA_OPTIONAL),
	FIELD("name", SCHEMA_TEXT | SCHEMA_OPTIONAL),
	FIELD("mtu", SCHEMA_COUNT | SCHEMA_OPTIONAL),
	{ 0 },
};

static const struct schema_field icmp_extension_fields[] = {
	FIELD("class_num", SCHEMA_COUNT),
	FIELD("c_type", SCHEMA_COUNT),
	FIELD("data", SCHEMA_TEXT | SCHEMA_OR_NULL, .help = "hex"),
	FIELD("mpls", SCHEMA_OBJECT | SCHEMA_LIST, .of = "MplsEntry"),
	FIELD("interface", SCHEMA_OBJECT | SCHEMA_OPTIONAL,
	    .of = "InterfaceInfo", .help = "by RFC 5837 or RFC 8335"),
	{ 0 },
};

static const struct schema_field reply_fields[] = {
	FIELD("probe_ttl", SCHEMA_COUNT),
	FIELD("attempt", SCHEMA_COUNT, .help = "from 1"),
	FIELD("probe_id", SCHEMA_COUNT, .help = "the script's number for it"),
	FIELD("tx_wall_ns", SCHEMA_INTEGER | SCHEMA_OPTIONAL),
	FIELD("tx_wall", SCHEMA_TIME | SCHEMA_OPTIONAL),
	FIELD("tx_clock", SCHEMA_WORD | SCHEMA_OPTIONAL,
	    .help = "the clock that made it",
	    .of = "unknown|user|kernel_software|hardware|simulated"),
	FIELD("from", SCHEMA_TEXT | SCHEMA_OR_NULL,
	    .help =
		"who answered; null: no answer, and nothing below is there"),
	FIELD("rx_wall_ns", SCHEMA_INTEGER | SCHEMA_OPTIONAL),
	FIELD("rx_wall", SCHEMA_TIME | SCHEMA_OPTIONAL),
	FIELD("rx_clock", SCHEMA_WORD | SCHEMA_OPTIONAL,
	    .help = "the clock that made it",
	    .of = "unknown|user|kernel_software|hardware|simulated"),
	FIELD("rtt_ns", SCHEMA_COUNT | SCHEMA_OPTIONAL),
	FIELD("reply_ttl", SCHEMA_COUNT | SCHEMA_OPTIONAL),
	FIELD("reply_size_bytes", SCHEMA_COUNT | SCHEMA_OPTIONAL),
	FIELD("icmp_type", SCHEMA_COUNT | SCHEMA_OPTIONAL),
	FIELD("icmp_code", SCHEMA_COUNT | SCHEMA_OPTIONAL),
	FIELD("tcp_flags", SCHEMA_COUNT | SCHEMA_OPTIONAL),
	FIELD("quoted_ttl", SCHEMA_COUNT | SCHEMA_OPTIONAL),
	FIELD("quoted_tos", SCHEMA_COUNT | SCHEMA_OPTIONAL),
	FIELD("extensions", SCHEMA_OBJECT | SCHEMA_LIST | SCHEMA_OPTIONAL,
	    .of = "IcmpExtension"),
	FIELD("late", SCHEMA_BOOLEAN | SCHEMA_OPTIONAL,
	    .help = "after the script's wait"),
	FIELD("duplicate", SCHEMA_BOOLEAN | SCHEMA_OPTIONAL),
	FIELD("denied", SCHEMA_TEXT | SCHEMA_OPTIONAL,
	    .help = "the policy's reason; it was never sent"),
	FIELD("reply_ip_id", SCHEMA_COUNT | SCHEMA_OPTIONAL),
	FIELD("extensions_by_length", SCHEMA_BOOLEAN | SCHEMA_OPTIONAL),
	FIELD("outcome", SCHEMA_WORD,
	    .help = "what became of the probe; unknown: an agent of an "
		    "earlier version did not decide it",
	    .of = OUTCOMES),
	FIELD("mtu", SCHEMA_COUNT | SCHEMA_OPTIONAL,
	    .help = "of the next hop, by an error; of the device, where it "
		    "did not allow the probe"),
	FIELD("error", SCHEMA_TEXT | SCHEMA_OPTIONAL,
	    .help = "why it was not sent"),
	FIELD("perhaps_firewall", SCHEMA_BOOLEAN | SCHEMA_OPTIONAL,
	    .help = "a reset in the target's name, from another distance"),
	FIELD("quoted_size_bytes", SCHEMA_COUNT | SCHEMA_OPTIONAL,
	    .help = "by the length that the quoted IP header states"),
	FIELD("reply_tos", SCHEMA_COUNT | SCHEMA_OPTIONAL),
	FIELD("from_port", SCHEMA_COUNT | SCHEMA_OPTIONAL,
	    .help = "of a datagram that answers from another port than the "
		    "one that was probed"),
	{ 0 },
};

#define COLUMN_TYPES                                                       \
	"integer|number|boolean|text|address|prefix|octets|time|duration|" \
	"rate|list"
static const struct schema_field result_column_fields[] = {
	FIELD("name", SCHEMA_TEXT, .example = "\"loss\""),
	FIELD("type", SCHEMA_WORD, .of = COLUMN_TYPES, .example = "\"number\""),
	FIELD("element", SCHEMA_TEXT | SCHEMA_OR_NULL,
	    .help = "the type of a list's values", .example = "null"),
	FIELD(
	    "unit", SCHEMA_TEXT, .help = "empty: none", .example = "\"share\""),
	FIELD("help", SCHEMA_TEXT),
	FIELD("key", SCHEMA_BOOLEAN, .help = "each row has it"),
	FIELD("low", SCHEMA_TEXT | SCHEMA_OR_NULL,
	    .help = "the column with the low end of this one's interval",
	    .example = "\"loss_low\""),
	FIELD("high", SCHEMA_TEXT | SCHEMA_OR_NULL,
	    .help = "the column with the high end", .example = "\"loss_high\""),
	FIELD("probability", SCHEMA_TEXT | SCHEMA_OR_NULL,
	    .help = "the column with the probability that the interval "
		    "covers the true value",
	    .example = "\"confidence\""),
	{ 0 },
};

static const struct schema_field result_table_fields[] = {
	FIELD("name", SCHEMA_TEXT, .example = "\"summary\""),
	FIELD("help", SCHEMA_TEXT),
	FIELD("columns", SCHEMA_OBJECT | SCHEMA_LIST, .of = "ResultColumn"),
	{ 0 },
};

static const struct schema_field result_schema_record_fields[] = {
	FIELD("hash", SCHEMA_ID | SCHEMA_OR_NULL),
	FIELD("script", SCHEMA_TEXT),
	FIELD("tables", SCHEMA_OBJECT | SCHEMA_LIST, .of = "ResultTable"),
	{ 0 },
};

static const struct schema_field value_fields[] = {
	FIELD("integer", SCHEMA_INTEGER | SCHEMA_OPTIONAL),
	FIELD("number", SCHEMA_NUMBER | SCHEMA_OPTIONAL),
	FIELD("boolean", SCHEMA_BOOLEAN | SCHEMA_OPTIONAL),
	FIELD("text", SCHEMA_TEXT | SCHEMA_OPTIONAL),
	FIELD("address", SCHEMA_TEXT | SCHEMA_OPTIONAL),
	FIELD("prefix", SCHEMA_TEXT | SCHEMA_OPTIONAL,
	    .help = "hex: the address and one octet, its length"),
	FIELD("octets", SCHEMA_TEXT | SCHEMA_OR_NULL | SCHEMA_OPTIONAL,
	    .help = "hex"),
	FIELD("time_ns", SCHEMA_INTEGER | SCHEMA_OPTIONAL),
	FIELD("duration_ns", SCHEMA_INTEGER | SCHEMA_OPTIONAL),
	FIELD("rate", SCHEMA_NUMBER | SCHEMA_OPTIONAL),
	{ 0 },
};

static const struct schema_field cell_fields[] = {
	FIELD("values", SCHEMA_OBJECT | SCHEMA_LIST, .of = "ResultValue",
	    .help = "one, none, or those of a list"),
	{ 0 },
};

static const struct schema_field result_record_fields[] = {
	FIELD("hash", SCHEMA_ID | SCHEMA_OR_NULL, .help = "of its schema"),
	FIELD("table", SCHEMA_COUNT, .help = "its number, from 0"),
	FIELD("row", SCHEMA_OBJECT | SCHEMA_LIST, .of = "ResultCell",
	    .help = "one a column; /api/v1/results/rows has them by name"),
	{ 0 },
};

static const struct schema_field sighting_record_fields[] = {
	FIELD("src", SCHEMA_TEXT | SCHEMA_OR_NULL, .help = "an address"),
	FIELD("verdict", SCHEMA_TEXT),
	FIELD("signature", SCHEMA_TEXT, .help = "empty: none"),
	FIELD("proto", SCHEMA_COUNT, .help = "IP protocol number"),
	FIELD("dport", SCHEMA_COUNT, .help = "ICMP: type << 8 | code"),
	FIELD("first_wall_ns", SCHEMA_INTEGER),
	FIELD("first_wall", SCHEMA_TIME),
	FIELD("last_wall_ns", SCHEMA_INTEGER),
	FIELD("last_wall", SCHEMA_TIME),
	FIELD("packets", SCHEMA_COUNT),
	FIELD("size_bytes", SCHEMA_COUNT),
	FIELD("targets", SCHEMA_COUNT, .help = "distinct destinations"),
	FIELD("payload_hash", SCHEMA_ID | SCHEMA_OR_NULL),
	FIELD("ttl_min", SCHEMA_COUNT),
	FIELD("ttl_max", SCHEMA_COUNT),
	FIELD("interval_s", SCHEMA_COUNT),
	FIELD("sources", SCHEMA_COUNT,
	    .help = "src null: at least so many, counted together"),
	FIELD("spoofable", SCHEMA_BOOLEAN,
	    .help = "nothing shows that the source address is real"),
	FIELD("census", SCHEMA_TEXT | SCHEMA_OR_NULL,
	    .help = "hex: the targets, to be joined with others'"),
	FIELD("ports", SCHEMA_COUNT | SCHEMA_OPTIONAL,
	    .help = "distinct ones that were asked for"),
	FIELD("ports_at_least", SCHEMA_BOOLEAN),
	FIELD("victim", SCHEMA_TEXT | SCHEMA_OR_NULL,
	    .help = "backscatter: who was attacked"),
	FIELD("quoted_proto", SCHEMA_COUNT | SCHEMA_OPTIONAL,
	    .help = "of the packet that an ICMP error quotes"),
	FIELD("quoted_sport", SCHEMA_COUNT | SCHEMA_OPTIONAL),
	FIELD("quoted_dport", SCHEMA_COUNT | SCHEMA_OPTIONAL),
	FIELD("odds", SCHEMA_COUNT | SCHEMA_OPTIONAL,
	    .help = "an innocent source does this less often than once in so "
		    "many"),
	FIELD("rule", SCHEMA_TEXT, .help = "that gave the verdict"),
	FIELD("rule_version", SCHEMA_COUNT),
	FIELD("addresses", SCHEMA_COUNT | SCHEMA_OPTIONAL,
	    .help = "of the source's /64, that were used"),
	FIELD("attempts", SCHEMA_COUNT | SCHEMA_OPTIONAL,
	    .help = "of the source, since the sensor knows it"),
	FIELD("not_judged", SCHEMA_COUNT | SCHEMA_OPTIONAL,
	    .help = "of these, of which too much was forgotten"),
	{ 0 },
};

static const struct schema_field stored_record_fields[] = {
	FIELD("agent", SCHEMA_ID),
	FIELD("epoch", SCHEMA_INTEGER, .of = "1..", .example = "1"),
	FIELD("seq", SCHEMA_INTEGER, .help = "contiguous within the epoch",
	    .of = "1..", .example = "912"),
	FIELD("received_at", SCHEMA_TIME, .help = "when it was committed"),
	FIELD("record", SCHEMA_OBJECT, .of = "Record"),
	{ 0 },
};

static const struct schema_field trace_fields[] = {
	FIELD("src", SCHEMA_TEXT | SCHEMA_OR_NULL, .help = "an address"),
	FIELD("dst", SCHEMA_TEXT | SCHEMA_OR_NULL, .help = "an address"),
	FIELD("dst_name", SCHEMA_TEXT),
	FIELD("method", SCHEMA_TEXT),
	FIELD("sport", SCHEMA_COUNT, .help = "ICMP: the echo id"),
	FIELD("dport", SCHEMA_COUNT, .help = "ICMP: the constant checksum"),
	FIELD("flow_label", SCHEMA_COUNT),
	FIELD("flow_id", SCHEMA_HEX,
	    .help = "a hash of all that load balancers look at", .of = "16"),
	FIELD("stop_reason", SCHEMA_TEXT),
	FIELD("first_ttl", SCHEMA_COUNT),
	FIELD("max_ttl", SCHEMA_COUNT),
	FIELD("replies", SCHEMA_OBJECT | SCHEMA_LIST, .of = "Reply"),
	FIELD("tos", SCHEMA_COUNT),
	FIELD("size_bytes", SCHEMA_COUNT, .help = "of a probe's IP packet"),
	FIELD("wait_ns", SCHEMA_COUNT),
	FIELD("device", SCHEMA_TEXT, .help = "that the probes left by"),
	FIELD("next_hop", SCHEMA_TEXT | SCHEMA_OR_NULL),
	FIELD("remarks", SCHEMA_OBJECT | SCHEMA_LIST, .of = "Reply",
	    .help = REMARKS),
	FIELD("replies_left_out", SCHEMA_COUNT | SCHEMA_OPTIONAL,
	    .help = "those that say least of their hops, above the bounds of "
		    "a record"),
	{ 0 },
};

static const struct schema_field train_fields[] = {
	FIELD("script", SCHEMA_TEXT),
	FIELD("fields", SCHEMA_ANY, .help = "as the script declared them"),
	{ 0 },
};

const struct schema record_schemas[] = {
	{ .name = "Heartbeat", .fields = heartbeat_fields },
	{ .name = "IcmpExtension", .fields = icmp_extension_fields },
	{ .name = "InterfaceInfo", .fields = interface_info_fields },
	{ .name = "LogRecord", .fields = log_record_fields },
	{ .name = "CoverageRecord", .fields = coverage_record_fields },
	{ .name = "Gap", .fields = gap_fields },
	{ .name = "MplsEntry", .fields = mpls_entry_fields },
	{ .name = "Paths", .fields = paths_fields },
	{ .name = "PathsLink", .fields = paths_link_fields },
	{ .name = "PayloadRecord", .fields = payload_record_fields },
	{ .name = "EvidenceRecord", .fields = evidence_record_fields },
	{ .name = "Ping", .fields = ping_fields },
	{ "Record", record_fields,
	    .help = "sonde-records(5) defines each field. The member "
		    "that `kind` names holds the body." },
	{ "Reply", reply_fields,
	    .help = "One probe and what became of it. What is not known is "
		    "left out; zero is a value." },
	{ .name = "ResultCell", .fields = cell_fields },
	{ .name = "ResultColumn", .fields = result_column_fields },
	{ .name = "ResultRecord", .fields = result_record_fields },
	{ .name = "ResultSchemaRecord", .fields = result_schema_record_fields },
	{ .name = "ResultTable", .fields = result_table_fields },
	{ .name = "ResultValue", .fields = value_fields },
	{ "SightingRecord", sighting_record_fields,
	    .help = "What one sensor saw of one source, class, signature and "
		    "port in one interval." },
	{ .name = "StoredRecord", .fields = stored_record_fields },
	{ .name = "Trace", .fields = trace_fields },
	{ .name = "Train", .fields = train_fields },
	{ 0 },
};
