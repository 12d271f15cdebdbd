/* SPDX-License-Identifier: ISC */
/* Opens and closes the store, keeps its log short and its numbers fresh. */
#include "collector/core/database.h"

#include "collector/core/generation.h"
#include "collector/core/levels.h"
#include "collector/core/private.h"
#include "lib/base/buf.h"

#define NUMBERS_NS NS_PER_S

static int open_database(struct collector *c, struct errmsg *msg)
{
	struct store_config *config = &c->store_config;
	config->dir = c->state_dir;
	config->anew = c->config.new_database;
	config->max_bytes = c->config.database_max_bytes;
	config->had_one = generation_has_past(c);
	levels_set(c);
	return c->ops->open(&c->store, config, msg);
}

static void close_database(struct collector *c)
{
	c->ops->close(c->store);
	c->store = NULL;
}

static void refresh_numbers(struct collector *c)
{
	struct store_stats stats;
	c->ops->tidy(c->store);
	if (c->ops->stats(c->store, &stats, NULL) < 0)
		return;
	c->counters.database_bytes = stats.database_bytes;
	c->counters.free_bytes = stats.free_bytes;
	c->counters.wal_bytes = stats.wal_bytes;
}

static void add_finding(void *ctx, const char *text)
{
	buf_printf(ctx, "%s\n", text);
}

int collector_inspect(
    const char *state_dir, char **findings, struct errmsg *msg)
{
	struct store_config where = { .dir = state_dir };
	struct buf report = { 0 };
	int err = store_sqlite.inspect(&where, add_finding, &report, msg);
	buf_u8(&report, 0);
	if (err < 0)
		buf_fini(&report);
	*findings = (char *)report.data;
	return err;
}

const struct part database_part = {
	.name = "database",
	.open = open_database,
	.close = close_database,
	.period_ns = NUMBERS_NS,
	.run = refresh_numbers,
};
