/* SPDX-License-Identifier: ISC */
/*
 * The collector as a whole: its folder, its parts, their order.  The database
 * is opened first and closed last; the writer starts when everything that it
 * calls stands.
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/fleet/admin-token.h"
#include "collector/collector.h"
#include "collector/query/overview.h"
#include "collector/core/private.h"
#include "collector/core/maintenance.h"
#include "lib/base/xalloc.h"

#define DAY_NS (86400 * NS_PER_S)

const struct collector_config collector_defaults = {
	.series_bin_s = 60,
	.alarm_bin_s = 60,
	.alarm_interval_ns = 5 * NS_PER_S,
	.alarm_warmup_bins = 60,
	.alarm_run_length_bins = 10080,
	.raw_age_ns = 30 * DAY_NS,
	.raw_size_bytes = UINT64_C(10) << 30,
	.minutes_age_ns = 7 * DAY_NS,
	.hours_age_ns = 90 * DAY_NS,
	.days_age_ns = 400 * DAY_NS,
	.late_ns = 90 * NS_PER_S,
	.gone_ns = 900 * NS_PER_S,
	.queue_batches = 256,
	.queue_bytes = 256u << 20,
};

static void set_levels(struct collector *c)
{
	uint32_t *levels = c->store_config.levels;
	int n = 0;
	if (c->config.series_bin_s < 60)
		levels[n++] = c->config.series_bin_s;
	levels[n++] = 60;
	levels[n++] = 3600;
	levels[n++] = 86400;
}

bool collector_has_level(const struct collector *c, uint32_t bin_s)
{
	for (int i = 0; i < STORE_LEVELS_MAX; i++)
		if (bin_s && c->store_config.levels[i] == bin_s)
			return true;
	return false;
}

uint32_t collector_level_for(
    const struct collector *c, const struct store_range *range, unsigned bins)
{
	const uint32_t *levels = c->store_config.levels;
	int64_t width_s = (range->to_ns - range->from_ns) / NS_PER_S;
	uint32_t best = levels[0];
	for (int i = 1; i < STORE_LEVELS_MAX && levels[i]; i++)
		if (width_s / levels[i] >= bins)
			best = levels[i];
	return best;
}

/* One collector a folder: the lock goes with the process. */
static int lock_folder(struct collector *c, struct errmsg *msg)
{
	const char *dir = c->config.state_dir;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_set(msg, -errno, "%s: cannot make it: %s", dir,
		    strerror(errno));
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

static int read_revision(struct collector *c, struct errmsg *msg)
{
	struct store_reader *reader;
	uint64_t revision = 0;
	int err = reader_get(c, &reader, msg);
	if (err < 0)
		return err;
	err = c->ops->revision(reader, &revision);
	if (err < 0)
		err_set(msg, err, "%s", c->ops->reader_error(reader));
	reader_put(c, reader);
	c->revision = revision;
	return err;
}

static int open_parts(struct collector *c, struct errmsg *msg)
{
	int err = lock_folder(c, msg);
	if (err == ERR_OK)
		err = admin_token_load(c, msg);
	c->store_config.had_one = collector_has_past(c);
	if (err == ERR_OK)
		err = c->ops->open(&c->store, &c->store_config, msg);
	if (err == ERR_OK)
		err = collector_check_generation(c, msg);
	if (err == ERR_OK)
		err = readers_open(c, msg);
	if (err == ERR_OK)
		err = read_revision(c, msg);
	if (err == ERR_OK)
		err = feed_open(c, msg);
	if (err == ERR_OK)
		err = agents_open(c, msg);
	if (err == ERR_OK)
		err = writer_start(c, msg);
	if (err == ERR_OK)
		err = alarms_start(c, msg);
	return err;
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
	c->store_config.dir = c->state_dir;
	c->store_config.anew = config->new_database;
	c->store_config.max_bytes = config->database_max_bytes;
	c->lock_fd = -1;
	c->started = collector_wall(c);
	set_levels(c);
	overview_open(c);
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
	alarms_stop(c);
	writer_stop(c);
	agents_close(c);
	feed_close(c);
	readers_close(c);
	overview_close(c);
	c->ops->close(c->store);
	if (c->lock_fd >= 0)
		close(c->lock_fd);
	if (c->admin_token)
		sodium_memzero(c->admin_token, strlen(c->admin_token));
	free(c->admin_token);
	free(c->state_dir);
	pthread_mutex_destroy(&c->listener_lock);
	free(c);
}

void collector_listen(
    struct collector *c, const struct collector_listener *listener)
{
	pthread_mutex_lock(&c->listener_lock);
	c->listener = listener ? *listener : (struct collector_listener){ 0 };
	pthread_mutex_unlock(&c->listener_lock);
}

const char *collector_generation(const struct collector *c)
{
	return c->generation;
}
