/* SPDX-License-Identifier: ISC */
/*
 * Reads the pages of processes that may be in hostile hands: how many
 * counters and how long their names are is bounded by counters_get.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record/record.h"
#include "lib/base/xalloc.h"
#include "probes/agent/keeper/heartbeat.h"

#define NAME_LEN ((size_t)2 * COUNTERS_NAME_LEN)

struct counter_table {
	Sonde__Counter *rows;
	Sonde__Counter **pointers;
	char (*names)[NAME_LEN];
	size_t count, cap;
};

static void table_add(
    struct counter_table *t, const struct heartbeat_source *source)
{
	char name[COUNTERS_NAME_LEN];
	size_t prefix = strlen(source->process);
	uint64_t value;
	for (size_t i = 0; t->count < t->cap; i++) {
		if (!counters_get(source->counters, i, name, &value))
			break;
		bool has = strncmp(name, source->process, prefix) == 0 &&
		    name[prefix] == '.';
		char *to = t->names[t->count];
		snprintf(to, NAME_LEN, "%.30s%s%s", has ? "" : source->process,
		    has ? "" : ".", name);
		Sonde__Counter *row = &t->rows[t->count];
		sonde__counter__init(row);
		row->name = to;
		row->value = value;
		t->pointers[t->count++] = row;
	}
}

int heartbeat_pack(struct buf *to, const struct heartbeat_source *sources,
    size_t count, const struct heartbeat_host *host, int64_t uptime_ns,
    struct errmsg *msg)
{
	struct counter_table t = { .cap = (count + 1) * COUNTERS_MAX };
	ProtobufCBinaryData addresses[HEARTBEAT_MAX_ADDRESSES];
	struct heartbeat_host seen = *host;
	Sonde__Heartbeat heartbeat = SONDE__HEARTBEAT__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;

	t.rows = xcalloc(t.cap, sizeof(*t.rows));
	t.pointers = xcalloc(t.cap, sizeof(void *));
	t.names = xcalloc(t.cap, sizeof(*t.names));
	for (size_t i = 0; i < count; i++)
		table_add(&t, &sources[i]);
	for (size_t i = 0; i < seen.count && i < HEARTBEAT_MAX_ADDRESSES; i++) {
		addresses[i].data = seen.addresses[i].bytes;
		addresses[i].len = addr_len(&seen.addresses[i]);
		heartbeat.n_addresses = i + 1;
	}
	heartbeat.addresses = addresses;
	heartbeat.counters = t.pointers;
	heartbeat.n_counters = t.count;
	heartbeat.uptime_ns = uptime_ns > 0 ? (uint64_t)uptime_ns : 0;
	heartbeat.version = (char *)SONDE_VERSION;
	record.body_case = SONDE__RECORD__BODY_HEARTBEAT;
	record.heartbeat = &heartbeat;
	record_stamp(&record);
	int err = record_pack(&record, to, msg);
	free(t.rows);
	free(t.pointers);
	free(t.names);
	return err;
}
