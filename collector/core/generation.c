/* SPDX-License-Identifier: ISC */
/* The generation's file: read and judged at the start, written each second. */
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

/* Not synced: an older number than the database's is the harmless side. */
static void save_generation(struct collector *c, uint64_t changes)
{
	char *path = generation_path(c);
	char *temporary = xasprintf("%s.new", path);
	FILE *file = fopen(temporary, "w");
	if (file) {
		fprintf(file, "%s %llu\n", c->generation,
		    (unsigned long long)changes);
		if (fclose(file) == 0)
			rename(temporary, path);
	}
	free(temporary);
	free(path);
}

static bool read_generation(
    struct collector *c, char generation[33], uint64_t *changes)
{
	char *path = generation_path(c);
	FILE *file = fopen(path, "r");
	free(path);
	if (!file)
		return false;
	char line[80] = "";
	char *got = fgets(line, sizeof(line), file);
	fclose(file);
	char *end;
	if (!got || strspn(line, "0123456789abcdef") != 32 || line[32] != ' ')
		return false;
	snprintf(generation, 33, "%.32s", line);
	*changes = strtoull(line + 33, &end, 10);
	return *end == '\n';
}

static int check_generation(struct collector *c, struct errmsg *msg)
{
	uint8_t id[16];
	struct store_stats stats;
	int err = c->ops->stats(c->store, &stats, msg);
	if (err == ERR_OK)
		err = c->ops->generation(c->store, false, id, msg);
	if (err < 0)
		return err;
	hex_text(id, sizeof(id), c->generation);
	char known[33] = "";
	uint64_t changes = 0;
	bool has_past = stats.changes > 1;
	bool ours = read_generation(c, known, &changes) &&
	    strcmp(known, c->generation) == 0 && changes <= stats.changes;
	if (has_past && !ours) {
		/* The database is older than what we once answered, or came
		 * from elsewhere: agents must not believe our old answers. */
		err = c->ops->generation(c->store, true, id, msg);
		if (err < 0)
			return err;
		hex_text(id, sizeof(id), c->generation);
	}
	save_generation(c, stats.changes);
	return ERR_OK;
}

static void save_changes(struct collector *c)
{
	struct store_stats stats;
	if (c->ops->stats(c->store, &stats, NULL) == ERR_OK)
		save_generation(c, stats.changes);
}

const char *collector_generation(const struct collector *c)
{
	return c->generation;
}

const struct part generation_part = {
	.name = "generation",
	.open = check_generation,
	.period_ns = SAVE_NS,
	.run = save_changes,
};
