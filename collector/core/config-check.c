/* SPDX-License-Identifier: ISC */
/* What is wrong with a configuration, found before anything is made: the
 * start and --check ask the same. */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/fleet/admin-token.h"
#include "collector/collector.h"
#include "collector/store/store.h"
#include "lib/base/buf.h"
#include "lib/base/xalloc.h"

static int check_bins(
    const struct collector_config *config, const char **key, struct errmsg *msg)
{
	*key = "series-bin";
	if (config->series_bin_s == 0 || 60 % config->series_bin_s != 0)
		return err_set(msg, ERR_CONFIG,
		    "series-bin: expected a divisor of 60 s, got %u s",
		    config->series_bin_s);
	*key = "alarm-bin";
	uint32_t bin = config->alarm_bin_s;
	if (bin != config->series_bin_s && bin != 60 && bin != 3600 &&
	    bin != 86400)
		return err_set(msg, ERR_CONFIG,
		    "alarm-bin: expected %u s, 1m, 1h or 1d, got %u s",
		    config->series_bin_s, bin);
	return ERR_OK;
}

/* The folder, or the one that it will be made in. */
static int check_folder(const char *dir, struct errmsg *msg)
{
	struct stat st;
	if (!*dir)
		return err_set(msg, ERR_CONFIG,
		    "state-dir: expected a folder, got an empty text");
	char *copy = xstrdup(dir);
	const char *where = dir;
	int err = stat(dir, &st) < 0 ? -errno : ERR_OK;
	if (err == -ENOENT) {
		where = dirname(copy);
		err = stat(where, &st) < 0 ? -errno : ERR_OK;
	}
	if (err == ERR_OK && !S_ISDIR(st.st_mode))
		err = -ENOTDIR;
	if (err == ERR_OK && access(where, R_OK | W_OK | X_OK) < 0)
		err = -errno;
	if (err < 0)
		err_set(msg, err,
		    "state-dir: '%.100s': expected a folder "
		    "that we may write into, got: %s",
		    where, err_str(err));
	free(copy);
	return err;
}

int collector_check(
    const struct collector_config *config, const char **key, struct errmsg *msg)
{
	int err = check_bins(config, key, msg);
	if (err < 0)
		return err;
	*key = "gone-after";
	if (config->late_ns <= 0 || config->gone_ns < config->late_ns)
		return err_set(msg, ERR_CONFIG,
		    "gone-after: expected at least late-after (%g s), got "
		    "%g s",
		    (double)config->late_ns / (double)NS_PER_S,
		    (double)config->gone_ns / (double)NS_PER_S);
	*key = "state-dir";
	err = check_folder(config->state_dir, msg);
	if (err < 0)
		return err;
	*key = "admin-token-file";
	return admin_token_check(config, msg);
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
