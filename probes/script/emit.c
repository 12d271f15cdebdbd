/* SPDX-License-Identifier: ISC */
/* A record that a script made, stamped and framed for the reader of its pipe.
 */
#include <string.h>

#include "lib/record/record.h"
#include "probes/script/emit.h"
#include "probes/script/watch.h"

int record_flush(struct host *host)
{
	return frame_batch_flush(&host->records);
}

int record_write(void *arg, const uint8_t *bytes, size_t len)
{
	const struct host *host = arg;
	/* A reader that takes its time (a pager, a full pipe) is no script
	 * that computes for too long. */
	watch_waits(true);
	int err = write_all(host->config->record_fd, bytes, len);
	watch_waits(false);
	return err;
}

void record_frame(lua_State *L, Sonde__Record *record, uint32_t mark)
{
	struct host *host = host_of(L);
	struct errmsg msg = { "" };
	if (!host->config) {
		luaL_error(L, "only run() may record");
		return;
	}
	record_stamp(record);
	if (net_time_is_virtual(host->client.heard)) {
		record->wall_ns = host->client.wall.ns;
		record->mono_ns = host->client.heard.ns;
		record->clock_state = SONDE__CLOCK_STATE__CLOCK_STATE_UNKNOWN;
		record->clock_error_ns = 0;
	}
	record->run = host->config->run;
	if (host->config->has_campaign) {
		record->campaign.data = (uint8_t *)host->config->campaign;
		record->campaign.len = sizeof(host->config->campaign);
	}
	int err = frame_batch_add(&host->records, record, mark, &msg);
	if (!err && mark)
		err = record_flush(host); /* a user looks on */
	if (err)
		luaL_error(
		    L, "record: %s", msg.text[0] ? msg.text : err_str(err));
}

/* Registry key, by address: the block that pieces are cut from.  Who has a
 * piece has the block on its stack, so that it may be exchanged for a fresh
 * one. */
static char scratch_key;
#define SCRATCH_BYTES ((size_t)16 << 10)

static void scratch_renew(lua_State *L, struct host_scratch *s, size_t size)
{
	size_t len = size > SCRATCH_BYTES ? size : SCRATCH_BYTES;
	s->start = s->at = lua_newuserdatauv(L, len, 0);
	s->end = s->start + len;
	lua_rawsetp(L, LUA_REGISTRYINDEX, &scratch_key);
}

void *record_scratch(lua_State *L, size_t size)
{
	struct host_scratch *s = &host_of(L)->scratch;
	luaL_checkstack(L, 4, NULL);
	size = (size + 15) & ~(size_t)15;
	if (!s->at || (size_t)(s->end - s->at) < size)
		scratch_renew(L, s, size);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &scratch_key);
	void *p = s->at;
	s->at += size;
	return memset(p, 0, size);
}

const uint8_t *record_scratch_mark(lua_State *L)
{
	return host_of(L)->scratch.at;
}

/* A block that is there since the mark has pieces of the caller alone. */
void record_scratch_reset(lua_State *L, const uint8_t *mark)
{
	struct host_scratch *s = &host_of(L)->scratch;
	bool inside = s->start && mark >= s->start && mark <= s->end;
	s->at = inside ? s->start + (mark - s->start) : s->start;
}
