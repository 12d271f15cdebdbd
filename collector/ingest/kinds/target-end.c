/* SPDX-License-Identifier: ISC */
/* What the replies of one record say of its target. */
#include <stdio.h>

#include "collector/ingest/kinds/target-end.h"
#include "lib/formats/reply-text.h"

/* Of two replies the higher says more. */
static unsigned weight_of(Sonde__Outcome outcome)
{
	switch (outcome) {
	case SONDE__OUTCOME__OUTCOME_ANSWERED: return 8;
	case SONDE__OUTCOME__OUTCOME_LATE: return 7;
	case SONDE__OUTCOME__OUTCOME_OTHER_ADDRESS: return 6;
	case SONDE__OUTCOME__OUTCOME_REJECTED: return 5;
	case SONDE__OUTCOME__OUTCOME_AMBIGUOUS: return 4;
	case SONDE__OUTCOME__OUTCOME_SILENT: return 3;
	case SONDE__OUTCOME__OUTCOME_NOT_SENT: return 2;
	case SONDE__OUTCOME__OUTCOME_DENIED: return 1;
	default: return 0; /* a hop says nothing of the target */
	}
}

struct target_end target_end_of(const Sonde__Record *record)
{
	bool trace = record->body_case == SONDE__RECORD__BODY_TRACE;
	bool ping = record->body_case == SONDE__RECORD__BODY_PING;
	struct target_end end = { NULL, SONDE__OUTCOME__OUTCOME_UNKNOWN };
	if (!trace && !ping)
		return end;
	Sonde__Reply *const *replies =
	    trace ? record->trace->replies : record->ping->replies;
	size_t count =
	    trace ? record->trace->n_replies : record->ping->n_replies;
	for (size_t i = 0; i < count; i++) {
		Sonde__Outcome outcome = trace
		    ? reply_outcome(replies[i], &record->trace->dst,
			  record->trace->method)
		    : reply_outcome(
			  replies[i], &record->ping->dst, record->ping->method);
		if (weight_of(outcome) > weight_of(end.outcome))
			end = (struct target_end){ replies[i], outcome };
	}
	return end;
}

bool target_has_unsent(const Sonde__Record *record)
{
	bool ping = record->body_case == SONDE__RECORD__BODY_PING;
	const ProtobufCBinaryData *dst =
	    ping ? &record->ping->dst : &record->trace->dst;
	const char *method =
	    ping ? record->ping->method : record->trace->method;
	Sonde__Reply *const *replies =
	    ping ? record->ping->replies : record->trace->replies;
	size_t count =
	    ping ? record->ping->n_replies : record->trace->n_replies;
	if (ping && (record->ping->not_sent || record->ping->denied))
		return true;
	for (size_t i = 0; i < count; i++)
		if (!outcome_was_sent(reply_outcome(replies[i], dst, method)))
			return true;
	return false;
}

void target_end_words(const struct target_end *end, char *text, size_t len)
{
	char a[ADDR_TEXT_LEN], words[40];
	*text = '\0';
	switch (end->outcome) {
	case SONDE__OUTCOME__OUTCOME_LATE: snprintf(text, len, ": late"); break;
	case SONDE__OUTCOME__OUTCOME_OTHER_ADDRESS:
		snprintf(text, len, ": answered from %s",
		    reply_addr(&end->reply->from, a));
		break;
	case SONDE__OUTCOME__OUTCOME_REJECTED:
		snprintf(text, len, ": rejected by %s, %s",
		    reply_addr(&end->reply->from, a),
		    reply_error(end->reply, words));
		break;
	case SONDE__OUTCOME__OUTCOME_AMBIGUOUS:
		snprintf(text, len, ": a reply that may be another probe's");
		break;
	case SONDE__OUTCOME__OUTCOME_DENIED:
	case SONDE__OUTCOME__OUTCOME_NOT_SENT:
		snprintf(text, len, ": %s, %s",
		    end->outcome == SONDE__OUTCOME__OUTCOME_DENIED ? "denied"
								   : "not sent",
		    reply_not_sent(end->reply));
		break;
	default: break;
	}
}
