/* SPDX-License-Identifier: ISC */
/* A kind that only its test has, as any other is: one file, a member of the
 * schema's oneof and a row of the table (tests/collector/ingest/module.mk). */
#include "collector/ingest/kinds/announce.h"
#include "collector/ingest/kinds/ingest-kind.h"
#include "tests/collector/ingest/kind-echo.h"

struct echo_calls echo_calls;

static int prepare_echo(
    struct prepared_record *to, const Sonde__Record *record, struct errmsg *msg)
{
	const Sonde__Echo *echo = record->echo;
	to->src = addr_from_bytes(echo->src.data, echo->src.len);
	if (echo->value > ECHO_MOST)
		return err_set(msg, ERR_MALFORMED,
		    "echo: value: expected at most %u, got %u", ECHO_MOST,
		    echo->value);
	return 1;
}

static int announce_echoes(const struct announcement *a, struct errmsg *msg)
{
	for (uint32_t i = 0; i < a->batch->header.count; i++)
		echo_calls.announced +=
		    a->batch->records[i].record->echo->value;
	return announce_runs(
	    a, SONDE__RECORD__BODY_ECHO, announce_results, msg);
}

const struct ingest_kind ingest_echo = {
	.prepare = prepare_echo,
	.announce = announce_echoes,
};
