/* SPDX-License-Identifier: ISC */
#include "collector/detect/alarm-json.h"

#include <stdio.h>

#include "lib/json/json-value.h"

/* Rows are ids to the outside; 0 is null. */
static json_t *row_json(int64_t row)
{
	char id[24];
	snprintf(id, sizeof(id), "%lld", (long long)row);
	return row ? json_string(id) : json_null();
}

json_t *alarm_to_json(const struct registry_alarm *alarm)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:f, s:f, "
			 "s:o, s:f, s:I, s:o, s:o, s:s}",
	    "id", row_json(alarm->row), "signature",
	    json_text(alarm->signature), "verdict", json_text(alarm->verdict),
	    "agent",
	    alarm->agent_row ? json_hex(alarm->agent, sizeof(alarm->agent))
			     : json_null(),
	    "direction", alarm->direction == ALARM_RISE ? "rise" : "fall",
	    "onset_at", json_time(alarm->onset_ns), "detected_at",
	    json_time(alarm->detected_ns), "ended_at",
	    json_time(alarm->ended_ns), "observed", alarm->observed, "expected",
	    alarm->expected, "test", json_text(alarm->test),
	    "average_run_length", alarm->run_length, "bin_s",
	    (json_int_t)alarm->bin_s, "within", row_json(alarm->within_row),
	    "agents", json_words(alarm->agents), "detector", alarm->detector);
}
