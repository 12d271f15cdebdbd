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

/* keeper-results.c */
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

/* --- keeper-store.c: into the spool, and who hears of it --------------- */

/* A record that `received` counts already. */
void keeper_append(struct keeper *k, enum spool_class class,
    const uint8_t *record, size_t len);
/* A record of the keeper's own. */
void keeper_append_own(
    struct keeper *k, enum spool_class class, const struct buf *record);
void keeper_append_gap(struct keeper *k, const Sonde__Gap *gap);
void keeper_append_log(
    struct keeper *k, uint32_t level, const char *process, const char *text);
/* about: the run that it is of, or NULL. */
void keeper_append_talk(struct keeper *k, uint32_t level, const char *process,
    const char *text, const struct producer_grant *about);
/* What could not be appended, as one gap. */
void keeper_declare_unnumbered(struct keeper *k, const char *reason);
void keeper_count_spool(struct keeper *k);
/* A record that has no place: counted as dropped, declared as lost. */
void keeper_drop_record(struct keeper *k);
/* Sends the shipper how far it may go. */
void keeper_send_mark(struct keeper *k);
/* All that was appended is stored, or the error is logged and it is tried
 * again later. */
int keeper_sync(struct keeper *k, struct errmsg *msg);

/* --- keeper-results.c ---------------------------------------------------- */

/* Of any record.  0: append it; 1: a schema that the spool has; ERR_NOT_FOUND:
 * a row of a schema that is not known, to be dropped; any other error: the
 * producer lies. */
int keeper_check_result(
    struct keeper *k, const Sonde__Record *record, struct errmsg *msg);

/* --- keeper-producers.c: what comes in --------------------------------- */

void keeper_drop_producer(struct keeper *k, size_t i);
/* One datagram; false when there is none, or no producer any more. */
bool keeper_take_datagram(struct keeper *k, size_t i);
/* A producer's turn: some datagrams, or one that wants to become one. */
void keeper_take_turn(struct keeper *k, size_t i);
