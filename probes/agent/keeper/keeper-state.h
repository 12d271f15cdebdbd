/* SPDX-License-Identifier: ISC */
/* What the keeper's files share; not for others. */
#pragma once

#include "lib/base/buf.h"
#include "lib/record/result.h"
#include "probes/agent/keeper/keeper.h"

struct producer {
	int fd;
	struct producer_grant grant;
	uint64_t appended, acknowledged; /* records of its, on disk */
	uint64_t lines;
};

struct keeper_schemas {
	struct result_catalog catalog;
	struct {
		uint64_t epoch;
		struct monotime at;
	} stored[RESULT_SCHEMAS_MAX]; /* of the catalog's, in its order */
	uint64_t dropped;             /* rows of a schema that is not known */
};

struct keeper {
	struct keeper_config config;
	struct spool *spool;
	struct producer producers[KEEPER_MAX_PRODUCERS];
	size_t count;
	uint8_t *datagram;
	struct buf record;       /* what we make ourselves */
	struct monotime sync_at; /* when dirty */
	struct monotime beat_at;
	uint64_t unsynced;        /* records appended since the last sync */
	uint64_t safe_seq;        /* all below are synced */
	uint64_t unnumbered;      /* taken, and could not be appended */
	struct monotime retry_at; /* when to try to declare them */
	struct keeper_schemas schemas;
	uint64_t *received, *appended, *stored, *refused, *dropped;
};
