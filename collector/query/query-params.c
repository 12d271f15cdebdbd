/* SPDX-License-Identifier: ISC */
/* A row a parameter. */

#include "collector/query/query-params.h"

#include "lib/record/kinds.h"

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define KIND_NAME(name, capitals, class, producers) #name,

static const char *const kind_words[] = { RECORD_KINDS(KIND_NAME) NULL };
_Static_assert(sizeof(kind_words) / sizeof(*kind_words) <= 33,
    "struct store_plan holds 32 kinds");
static const char *const row_format_words[] = { "json", "csv", NULL };
static const char *const verdict_words[] = { "worm", "scan", "probe",
	"backscatter", "flood", "misconfiguration", "unrouted", "other", NULL };

const struct param query_param_limit = { "limit", PARAM_INTEGER,
	.help = "items of one page", .min = 1, .max = QUERY_LIMIT_MAX,
	.fallback = TEXT(QUERY_LIMIT_DEFAULT) };
const struct param query_param_cursor = { "cursor", PARAM_CURSOR,
	.help = "`next` of the page before" };
const struct param query_param_source_cursor = { "cursor", PARAM_TEXT,
	.help = "`next` of the page before; the pages after the most active "
		"ones are in the order of signatures and addresses. Each "
		"source comes once, also while records arrive; one that rises "
		"above the page that is read is in none that follows" };
const struct param query_param_from = { "from", PARAM_TIME,
	.help = "RFC 3339, `now`, or a distance back as -90s, -1h, -7d",
	.fallback = "-1h", .example = "-6h" };
const struct param query_param_from_day = { "from", PARAM_TIME,
	.help = "RFC 3339, `now`, or a distance back as -90s, -1h, -7d",
	.fallback = "-1d", .example = "-7d" };
const struct param query_param_to = { "to", PARAM_TIME,
	.help = "the same; later than `from`", .fallback = "now",
	.example = "2026-11-22T01:59:05Z" };
const struct param query_param_agent = { "agent", PARAM_TEXT,
	.help = "an agent's id or name", .example = "ams" };
const struct param query_param_bin = { "bin", PARAM_INTEGER,
	.help = "seconds; the nearest kept one is used", .min = 1,
	.max = 86400 };
const struct param query_param_campaign = { "campaign", PARAM_ID,
	.help = "only this campaign's" };
const struct param query_param_run = { "run", PARAM_INTEGER,
	.help = "only this run's", .min = 1, .max = INT64_MAX };
const struct param query_param_kind = { "kind", PARAM_WORDS,
	.help = "only these kinds of records, separated by commas",
	.words = kind_words, .example = "trace,ping" };
const struct param query_param_signature = { "signature", PARAM_TEXT,
	.help = "a signature's name", .example = "slammer" };
const struct param query_param_verdict = { "verdict", PARAM_WORD,
	.help = "only this verdict's", .words = verdict_words };
const struct param query_param_script = { "script", PARAM_TEXT,
	.help = "the script that recorded them; required",
	.example = "my-script" };
const struct param query_param_table = { "table", PARAM_TEXT,
	.help = "one of its tables; may be left out when it has one",
	.example = "summary" };
const struct param query_param_key = { "key", PARAM_TEXT,
	.help = "NAME:VALUE of key columns, separated by commas",
	.example = "dst:192.0.2.1,ttl:3" };
const struct param query_param_row_format = { "format", PARAM_WORD,
	.help = "csv: all rows as text/csv, without pages; with `limit` one "
		"page",
	.words = row_format_words, .fallback = "json" };
const struct param query_param_src = { "src", PARAM_ADDRESS,
	.help = "only from this address" };
const struct param query_param_dst = { "dst", PARAM_ADDRESS,
	.help = "only to this address" };
