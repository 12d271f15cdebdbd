/* SPDX-License-Identifier: ISC */
/* What is wrong with a configuration, found before anything is made: the
 * start and --check ask the same. */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/core/config.h"
#include "collector/core/admin-token.h"
#include "collector/core/config-check.h"
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
		    "alarm-bin: expected that of series-bin (%u s), 1m, 1h "
		    "or 1d, got %u s",
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
	const char *where =
	    stat(dir, &st) < 0 && errno == ENOENT ? dirname(copy) : dir;
	int err = stat(where, &st) < 0 ? -errno : ERR_OK;
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
