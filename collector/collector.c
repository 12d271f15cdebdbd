/* SPDX-License-Identifier: ISC */
/*
 * The collector as a whole: its folder, its parts, their order.  The database
 * is opened first and closed last; the writer starts when everything that it
 * calls stands.
 */
#include "collector/collector.h"
#include "collector/core/config.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/core/admin-token.h"
#include "collector/core/config-check.h"
#include "collector/core/database.h"
#include "collector/core/event-log.h"
#include "collector/core/generation.h"
#include "collector/core/maintenance.h"
#include "collector/core/private.h"
#include "collector/core/reader-pool.h"
#include "collector/core/result-schemas.h"
#include "collector/core/trusted-clock.h"
#include "collector/core/upkeep.h"
#include "collector/core/writer.h"
#include "collector/detect/blind.h"
#include "collector/detect/engine.h"
#include "collector/fleet/campaign.h"
#include "collector/ingest/ingest.h"
#include "collector/ingest/kinds/ingest-kind.h"
#include "collector/query/overview.h"
#include "lib/base/xalloc.h"

/* One collector a folder: the lock goes with the process. */
static int lock_folder(struct collector *c, struct errmsg *msg)
{
	const char *dir = c->config.state_dir;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_set(msg, -errno, "state-dir: cannot make %s: %s",
		    dir, strerror(errno));
	char *path = xasprintf("%s/lock", dir);
	c->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int err = ERR_OK;
	if (c->lock_fd < 0)
		err = err_set(msg, -errno, "%s: %s", path, strerror(errno));
	else if (flock(c->lock_fd, LOCK_EX | LOCK_NB) < 0)
		err = err_set(msg, -errno,
		    "%s: another collector uses this folder", path);
	free(path);
	return err;
}

static void unlock_folder(struct collector *c)
{
	if (c->lock_fd >= 0)
		close(c->lock_fd);
	c->lock_fd = -1;
}

static const struct part folder_part = {
	.name = "folder",
	.open = lock_folder,
	.close = unlock_folder,
};

/* Each may use the ones above it. */
static const struct part *const parts[] = {
	&folder_part,
	&admin_token_part,
	&database_part,
	&generation_part,
	&reader_pool_part,
	&result_schemas_part,
	&campaigns_part,
	&event_log_part,
	&agents_part,
	&overview_part,
	&trusted_clock_part,
	&retention_part,
	&event_retention_part,
	&registry_retention_part,
	&kinds_part,
	&stats_part,
	&registry_numbers_part,
	&writer_part,
	&upkeep_part,
	&blind_part,
	&alarms_part,
	NULL,
};

static int open_parts(struct collector *c, struct errmsg *msg)
{
	for (size_t i = 0; parts[i]; i++) {
		int err = parts[i]->open ? parts[i]->open(c, msg) : ERR_OK;
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

int collector_open(struct collector **collector,
    const struct collector_config *config, struct errmsg *msg)
{
	if (sodium_init() < 0)
		return err_set(msg, ERR_UNSUPPORTED,
		    "collector: libsodium does not start");
	const char *key;
	int err = collector_check(config, &key, msg);
	if (err < 0)
		return err;
	/* jansson seeds its tables on first use, which is not for threads. */
	json_object_seed(0);
	struct collector *c = xcalloc(1, sizeof(*c));
	c->config = *config;
	c->config.state_dir = c->state_dir = xstrdup(config->state_dir);
	c->ops = &store_sqlite;
	c->store_config.replayed = ingest_replayed;
	c->store_config.replayed_ctx = c;
	c->store_config.prepare = ingest_prepare_record;
	c->parts = parts;
	c->lock_fd = -1;
	c->started = collector_wall(c);
	pthread_mutex_init(&c->listener_lock, NULL);
	err = open_parts(c, msg);
	if (err < 0) {
		collector_close(c);
		return err;
	}
	*collector = c;
	return ERR_OK;
}

void collector_close(struct collector *c)
{
	if (!c)
		return;
	for (size_t i = sizeof(parts) / sizeof(parts[0]); i-- > 0;)
		if (parts[i] && parts[i]->close)
			parts[i]->close(c);
	free(c->state_dir);
	pthread_mutex_destroy(&c->listener_lock);
	free(c);
}
