/* SPDX-License-Identifier: ISC */
/* The generation's file: read and judged at the start, written each second.
 * It names both databases' progress, so one that was restored alone shows. */
#include "collector/core/generation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/core/private.h"
#include "lib/base/xalloc.h"
#include "lib/json/json-value.h"

#define SAVE_NS NS_PER_S

static char *generation_path(const struct collector *c)
{
	return xasprintf("%s/generation", c->config.state_dir);
}

bool generation_has_past(const struct collector *c)
{
	char *path = generation_path(c);
	bool has = access(path, F_OK) == 0;
	free(path);
	return has;
}

/* How far the two databases have come. */
struct progress {
	uint64_t telemetry, registry;
};

static int read_progress(
    struct collector *c, struct progress *progress, struct errmsg *msg)
{
	struct store_stats telemetry;
	struct registry_stats registry;
	int err = c->ops->stats(c->store, &telemetry, msg);
	if (err < 0)
		return err;
	err = registry_stats(c->registry, &registry, msg);
	if (err < 0)
		return err;
	*progress = (struct progress){ telemetry.changes, registry.changes };
	return ERR_OK;
}

/* Not synced: older numbers than the databases' are the harmless side. */
static void save_generation(
    const struct collector *c, const struct progress *progress)
{
	char *path = generation_path(c);
	char *temporary = xasprintf("%s.new", path);
	FILE *file = fopen(temporary, "w");
	if (file) {
		fprintf(file, "%s %llu %llu\n", c->generation,
		    (unsigned long long)progress->telemetry,
		    (unsigned long long)progress->registry);
		if (fclose(file) == 0)
			rename(temporary, path);
	}
	free(temporary);
	free(path);
}

/* What is too large becomes the largest, which no database has reached. */
static bool next_number(const char **at, unsigned long long *number)
{
	char *end;
	*number = strtoull(*at, &end, 10);
	bool found = end != *at;
	*at = end;
	return found;
}

/* 3: with both numbers; 2: an older program's, which knew one database and
 * one number, the sum; 0: none, or not to be understood. */
static int read_generation(struct collector *c, char generation[33],
    unsigned long long *first, unsigned long long *second)
{
	char *path = generation_path(c);
	FILE *file = fopen(path, "r");
	free(path);
	if (!file)
		return 0;
	char line[100] = "";
	char *got = fgets(line, sizeof(line), file);
	fclose(file);
	if (!got || strspn(line, "0123456789abcdef") != 32 || strchr(line, '-'))
		return 0;
	memcpy(generation, line, 32);
	generation[32] = '\0';
	const char *rest = line + 32;
	if (!next_number(&rest, first))
		return 0;
	return next_number(&rest, second) ? 3 : 2;
}

/* Whether the databases are the ones that we last answered from, and neither
 * is older. */
static bool is_ours(struct collector *c, const struct progress *progress)
{
	char known[33] = "";
	unsigned long long telemetry = 0, registry = 0;
	int fields = read_generation(c, known, &telemetry, &registry);
	if (fields == 0 || strcmp(known, c->generation) != 0)
		return false;
	return fields == 2
	    ? telemetry <= progress->telemetry + progress->registry
	    : telemetry <= progress->telemetry &&
		registry <= progress->registry;
}

static int check_generation(struct collector *c, struct errmsg *msg)
{
	uint8_t id[16];
	struct progress progress;
	int err = read_progress(c, &progress, msg);
	if (err < 0)
		return err;
	err = registry_generation(c->registry, false, id, msg);
	if (err < 0)
		return err;
	hex_text(id, sizeof(id), c->generation);
	bool has_past = progress.telemetry > 0 || progress.registry > 1;
	if (has_past && !is_ours(c, &progress)) {
		/* One of them is older than what we once answered, or came
		 * from elsewhere: agents must not believe our old answers. */
		err = registry_generation(c->registry, true, id, msg);
		if (err < 0)
			return err;
		hex_text(id, sizeof(id), c->generation);
	}
	save_generation(c, &progress);
	return ERR_OK;
}

static void save_progress(struct collector *c)
{
	struct progress progress;
	if (read_progress(c, &progress, NULL) == ERR_OK)
		save_generation(c, &progress);
}

const char *collector_generation(const struct collector *c)
{
	return c->generation;
}

const struct part generation_part = {
	.name = "generation",
	.open = check_generation,
	.period_ns = SAVE_NS,
	.run = save_progress,
};
