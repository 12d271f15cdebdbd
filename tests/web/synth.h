/* SPDX-License-Identifier: ISC */
/*
 * An agent that exists only on the wire: a key, what it signs, batches of
 * records that somebody made up.  For tests and for filling a collector.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

#include "lib/record/batch.h"
#include "lib/base/buf.h"
#include "lib/record/record.h"

struct synth {
	uint8_t secret[64], public[32], id[16];
	uint64_t epoch, next_seq; /* of the next record */
	uint32_t count;           /* records that wait in raw */
	struct buf raw;
};

void synth_new(struct synth *agent); /* a fresh key; epoch 1, seq 1 */
/* The key as 128 hex digits and a line end, mode 0600. */
int synth_save(const struct synth *agent, const char *path);
int synth_load(struct synth *agent, const char *path);
void synth_fini(struct synth *agent);

/* The body of POST /api/v1/enrol; a new reference. */
json_t *synth_enrol_body(
    const struct synth *agent, const char *token, const char *name);
/* The signature header of GET /api/v1/work; target as sent. */
void synth_sign_work(const struct synth *agent, const char *time_ns,
    const char *target, char hex[static 129]);

void synth_add(struct synth *agent, const Sonde__Record *record);
/* Seals what was added and goes on behind it; false when nothing was. */
bool synth_seal(struct synth *agent, struct buf *to);

void synth_hex(char *to, const uint8_t *bytes, size_t len);
