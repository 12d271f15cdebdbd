/* SPDX-License-Identifier: ISC */
/*
 * The agent's identity on disk: `agent` holds who it is and to whom, in the
 * form of a config file; `agent.key` holds the secret key, in hex, for the
 * eyes of its owner.  The key is written first: an identity without a key is
 * worse than none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/hex.h"
#include "lib/base/xalloc.h"
#include "probes/ipc/keeper-message.h"
#include "probes/agent/config/agent-config.h"

#define KEY_HEX 128 /* digits */

static const struct option_row rows[] = {
	{ "agent", 0, OPTION_TEXT, "ID", NULL, 0, 0, NULL, "32 hex digits" },
	{ "name", 0, OPTION_TEXT, "NAME", NULL, 0, 0, "", "at the collector" },
	{ "collector", 0, OPTION_TEXT, "URL", NULL, 0, 0, "", "whose agent" },
	{ "generation", 0, OPTION_TEXT, "HEX", NULL, 0, 0, "",
	    "of the collector's store" },
	{ NULL, 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL, NULL },
};

static int report_errno(struct errmsg *msg, const char *path)
{
	int err = -errno;
	return err_set(msg, err, "%.180s: %s", path, strerror(-err));
}

/* --- reading ----------------------------------------------------------- */

static int key_read(uint8_t key[64], const char *path, struct errmsg *msg)
{
	char hex[KEY_HEX + 1] = "";
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return report_errno(msg, path);
	int err = 0;
	if (fstat(fd, &st) != 0 || st.st_mode & 077)
		err = err_set(msg, ERR_CONFIG,
		    "%.150s: others can read it: chmod 600 %.60s", path, path);
	ssize_t n = err ? 0 : read(fd, hex, KEY_HEX);
	if (!err && (n != KEY_HEX || !hex_parse(key, 64, hex)))
		err = err_set(msg, ERR_CORRUPT, "%.180s: not a key", path);
	explicit_bzero(hex, sizeof(hex));
	close(fd);
	return err;
}

static int about_read(
    struct agent_identity *identity, const char *path, struct errmsg *msg)
{
	struct config *c;
	int err = config_load(&c, rows, path, msg);
	if (err == -ENOENT)
		return ERR_NOT_FOUND;
	if (err)
		return err;
	const char *id = config_text(c, "agent");
	if (!hex_parse(identity->id, 16, id))
		err = err_set(msg, ERR_CORRUPT, "%.180s: no agent id", path);
	snprintf(identity->name, sizeof(identity->name), "%s",
	    config_text(c, "name"));
	snprintf(identity->collector, sizeof(identity->collector), "%s",
	    config_text(c, "collector"));
	snprintf(identity->generation, sizeof(identity->generation), "%s",
	    config_text(c, "generation"));
	config_free(c);
	return err;
}

int agent_key_load(
    uint8_t secret_key[static 64], const char *state_dir, struct errmsg *msg)
{
	char *path = xasprintf("%s/agent.key", state_dir);
	int err = key_read(secret_key, path, msg);
	free(path);
	return err;
}

int agent_identity_load(
    struct agent_identity *identity, const char *state_dir, struct errmsg *msg)
{
	char *about = xasprintf("%s/agent", state_dir);
	memset(identity, 0, sizeof(*identity));
	int err = about_read(identity, about, msg);
	if (!err)
		err = agent_key_load(identity->secret_key, state_dir, msg);
	free(about);
	return err;
}

/* --- writing ----------------------------------------------------------- */

static int write_file(const struct agent_config *config, const char *name,
    const char *text, mode_t mode, struct errmsg *msg)
{
	char *path = xasprintf("%s/%s", config->state_dir, name);
	char *tmp = xasprintf("%s.tmp", path);
	int err = 0;
	unlink(tmp);
	int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	size_t len = strlen(text);
	if (fd < 0 || write(fd, text, len) != (ssize_t)len ||
	    (config->uid && fchown(fd, config->uid, config->gid) != 0) ||
	    fsync(fd) != 0 || rename(tmp, path) != 0)
		err = report_errno(msg, path);
	if (fd >= 0)
		close(fd);
	free(path);
	free(tmp);
	return err;
}

static int folder_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd >= 0 && fsync(fd) == 0 ? 0 : -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

static int folder_make(
    const char *path, const struct agent_config *config, struct errmsg *msg)
{
	if (mkdir(path, 0750) != 0 && errno != EEXIST)
		return report_errno(msg, path);
	if (config->uid && chown(path, config->uid, config->gid) != 0)
		return report_errno(msg, path);
	return 0;
}

int agent_folders_make(const struct agent_config *config, struct errmsg *msg)
{
	char *spool = xasprintf("%s/" AGENT_SPOOL, config->state_dir);
	int err = folder_make(config->state_dir, config, msg);
	if (!err)
		err = folder_make(spool, config, msg);
	free(spool);
	return err;
}

static int save(const struct agent_config *config, const char *name,
    const char *text, mode_t mode, struct errmsg *msg)
{
	int err = write_file(config, name, text, mode, msg);
	if (!err && folder_sync(config->state_dir) != 0)
		err = report_errno(msg, config->state_dir);
	return err;
}

int agent_key_save(const struct agent_identity *identity,
    const struct agent_config *config, struct errmsg *msg)
{
	char key[KEY_HEX + 1];
	hex_text(identity->secret_key, 64, key);
	int err = save(config, "agent.key", key, 0600, msg);
	explicit_bzero(key, sizeof(key));
	return err;
}

int agent_identity_save(const struct agent_identity *identity,
    const struct agent_config *config, struct errmsg *msg)
{
	char id[33];
	hex_text(identity->id, 16, id);
	char *about = xasprintf("agent = \"%s\"\nname = \"%s\"\n"
				"collector = \"%s\"\ngeneration = \"%s\"\n",
	    id, identity->name, identity->collector, identity->generation);
	int err = save(config, "agent", about, 0644, msg);
	free(about);
	return err;
}
