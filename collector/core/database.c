/* SPDX-License-Identifier: ISC */
/* Opens registry and telemetry as a pair, keeps the logs short and the numbers
 * fresh. */
#include "collector/core/database.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/core/generation.h"
#include "collector/core/levels.h"
#include "collector/core/private.h"
#include "collector/core/writer.h"
#include "collector/registry/registry-agents.h"
#include "collector/registry/registry-import.h"
#include "collector/registry/registry.h"
#include "collector/store/sqlite/legacy.h"
#include "lib/base/buf.h"

#define STEPS_NS (300 * NS_PER_MS)
#define STEPS_PERIOD_NS (500 * NS_PER_MS)
#define NUMBERS_NS NS_PER_S

/* --new-database is for what is gone, not for what is there. */
static int check_begin(
    const struct collector *c, const char *legacy, struct errmsg *msg)
{
	return store_files_exist(c->state_dir) &&
		(legacy || registry_exists(c->state_dir))
	    ? err_set(msg, -EEXIST,
		  "%s: there is a database: move it away before a new one is "
		  "begun",
		  c->state_dir)
	    : ERR_OK;
}

/*
 * The registry, and in it what an older program had in the one database.  That
 * one stays what it was until telemetry's open makes its next step, so this
 * may be interrupted at any point and is then done again from the start.
 */
static int open_registry(struct collector *c, struct errmsg *msg)
{
	char *legacy;
	int err = legacy_find(c->state_dir, &legacy, msg);
	if (err < 0)
		return err;
	struct registry_config config = {
		.dir = c->state_dir,
		.had_one = generation_has_past(c) && !legacy,
		.begin = c->config.new_database,
	};
	err = config.begin ? check_begin(c, legacy, msg) : ERR_OK;
	if (err < 0)
		goto out;
	err = registry_open(&c->registry, &config, msg);
	if (err < 0 || !legacy)
		goto out;
	err = registry_import(c->registry, legacy, msg);
out:
	free(legacy);
	return err;
}

struct reserving {
	struct registry *registry;
	struct errmsg *msg;
};

static int reserve_row(void *ctx, const struct store_row *row)
{
	const struct reserving *to = ctx;
	return registry_agent_reserve(
	    to->registry, row->agent->row, row->agent->id, to->msg);
}

/* Agents that telemetry knows and an older registry does not. */
static int reserve_rows(struct collector *c, struct errmsg *msg)
{
	struct store_view *view;
	const struct store_plan agents = { .table = STORE_AGENTS };
	struct reserving to = { c->registry, msg };
	int err = c->ops->begin(c->store, &view, msg);
	if (err < 0)
		return err;
	err = c->ops->read(view, &agents, reserve_row, &to, msg);
	c->ops->end(view);
	return err;
}

static int open_database(struct collector *c, struct errmsg *msg)
{
	struct store_config *config = &c->store_config;
	config->dir = c->state_dir;
	config->create = c->config.new_database;
	config->max_bytes = c->config.database_max_bytes;
	config->had_one = generation_has_past(c);
	levels_set(c);
	int err = open_registry(c, msg);
	if (err < 0)
		return err;
	err = registry_history(c->registry, c->history, msg);
	if (err < 0)
		return err;
	memcpy(config->history, c->history, sizeof(config->history));
	config->adopt = config->create ? c->history : NULL;
	config->now = collector_wall(c);
	config->mono = collector_mono(c);
	config->rebuild_rollups = c->config.rebuild_rollups;
	err = c->ops->open(&c->store, config, msg);
	if (err < 0)
		return err;
	if (config->create)
		err = registry_adopt(c->registry, c->history, msg);
	return err < 0 ? err : reserve_rows(c, msg);
}

static void close_database(struct collector *c)
{
	c->ops->close(c->store);
	c->store = NULL;
	registry_close(c->registry);
	c->registry = NULL;
}

static bool is_idle(struct collector *c)
{
	uint64_t jobs, bytes;
	writer_queue(c, &jobs, &bytes);
	return jobs == 0;
}

/* One piece while batches wait, more while none does. */
static void step_some(struct collector *c)
{
	struct monotime until = monotime_add(monotime_now(), STEPS_NS);
	struct errmsg msg = { "" };
	int err;
	do
		err = c->ops->step(c->store, collector_mono(c), &msg);
	while (
	    err == 1 && is_idle(c) && monotime_before(monotime_now(), until));
	chore_log(&c->database_log, "database", err, &msg);
}

static void refresh_registry(struct collector *c)
{
	struct registry_stats stats;
	if (registry_stats(c->registry, &stats, NULL) < 0)
		return;
	c->counters.registry_bytes = stats.database_bytes;
	c->counters.registry_wal_bytes = stats.wal_bytes;
}

static void refresh_numbers(struct collector *c)
{
	struct store_stats stats;
	step_some(c);
	if (c->ops->stats(c->store, &stats, NULL) < 0)
		return;
	c->counters.database_bytes =
	    stats.database_bytes + c->counters.registry_bytes;
	c->counters.free_bytes = stats.free_bytes;
	c->counters.rollups_bounded = stats.bounded;
	c->counters.wal_bytes =
	    stats.wal_bytes + c->counters.registry_wal_bytes;
}

static void add_finding(void *ctx, const char *text)
{
	buf_printf(ctx, "%s\n", text);
}

static void add_registry_finding(void *ctx, const char *text)
{
	buf_printf(ctx, "registry.db: %s\n", text);
}

int collector_inspect(
    const char *state_dir, char **findings, struct errmsg *msg)
{
	struct buf report = { 0 };
	struct store *none;
	const struct store_config where = {
		.dir = state_dir, .finding = add_finding, .finding_ctx = &report
	};
	int err = store_sqlite.open(&none, &where, msg);
	if (err < 0)
		goto out;
	if (registry_exists(state_dir))
		err = registry_inspect(
		    state_dir, add_registry_finding, &report, msg);
	else
		add_registry_finding(&report, "is missing");
out:
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
	.period_ns = STEPS_PERIOD_NS,
	.run = refresh_numbers,
	.beside = true,
};

const struct part registry_numbers_part = {
	.name = "registry numbers",
	.period_ns = NUMBERS_NS,
	.run = refresh_registry,
};
