/* SPDX-License-Identifier: ISC */
/*
 * The administrator's bearer token: 256 random bits in hex, in a file that
 * only the collector's user can read.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/core/admin-token.h"
#include "collector/core/config.h"
#include "lib/json/json-value.h"
#include "collector/core/private.h"
#include "lib/base/xalloc.h"

#define TOKEN_BYTES 32
#define TOKEN_MIN_LEN 32
#define TOKEN_MAX_LEN 255

static int make_token(struct collector *c, const char *path, struct errmsg *msg)
{
	uint8_t bytes[TOKEN_BYTES];
	char text[2 * TOKEN_BYTES + 2];
	randombytes_buf(bytes, sizeof(bytes));
	hex_text(bytes, sizeof(bytes), text);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(msg, -errno,
		    "admin-token-file: cannot make %s: %s", path,
		    strerror(errno));
	c->admin_token = xstrdup(text);
	text[2 * TOKEN_BYTES] = '\n';
	ssize_t n = write(fd, text, 2 * TOKEN_BYTES + 1);
	int err = n == 2 * TOKEN_BYTES + 1 && fsync(fd) == 0 ? ERR_OK : -EIO;
	close(fd);
	sodium_memzero(text, sizeof(text));
	if (err < 0) {
		unlink(path);
		return err_set(msg, err, "%s: cannot write it", path);
	}
	return ERR_OK;
}

static int read_token(
    char **token, const char *path, int fd, struct errmsg *msg)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_set(msg, -errno, "%s: %s", path, strerror(errno));
	if (st.st_mode & 077)
		return err_set(msg, ERR_CONFIG,
		    "%s: others can read it, expected mode 0600", path);
	char text[TOKEN_MAX_LEN + 2] = "";
	ssize_t n = read(fd, text, sizeof(text) - 1);
	text[strcspn(text, "\r\n")] = '\0';
	if (n < 0 || strlen(text) < TOKEN_MIN_LEN ||
	    strlen(text) > TOKEN_MAX_LEN)
		return err_set(msg, ERR_CONFIG,
		    "%s: expected one line of %d to %d characters", path,
		    TOKEN_MIN_LEN, TOKEN_MAX_LEN);
	*token = xstrdup(text);
	sodium_memzero(text, sizeof(text));
	return ERR_OK;
}

static char *token_path(const struct collector_config *config)
{
	return config->admin_token_file
	    ? xstrdup(config->admin_token_file)
	    : xasprintf("%s/admin.token", config->state_dir);
}

/* A file that is not there yet needs a folder that it can be made in. */
static int check_absent(
    const struct collector_config *config, struct errmsg *msg)
{
	if (!config->admin_token_file)
		return ERR_OK;
	char *copy = xstrdup(config->admin_token_file);
	int err = access(dirname(copy), W_OK | X_OK) < 0
	    ? err_set(msg, -errno, "admin-token-file: cannot make %.100s: %s",
		  config->admin_token_file, strerror(errno))
	    : ERR_OK;
	free(copy);
	return err;
}

int admin_token_check(const struct collector_config *config, struct errmsg *msg)
{
	if (config->admin_token_file && !*config->admin_token_file)
		return err_set(msg, ERR_CONFIG,
		    "admin-token-file: expected a file, got an empty text");
	char *path = token_path(config), *token = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	if (fd >= 0)
		err = read_token(&token, path, fd, msg);
	else if (errno == ENOENT)
		err = check_absent(config, msg);
	else
		err = err_set(msg, -errno, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (token)
		sodium_memzero(token, strlen(token));
	free(token);
	free(path);
	err_prefix(err < 0 ? msg : NULL, "admin-token-file");
	return err;
}

static int load_token(struct collector *c, struct errmsg *msg)
{
	char *path = token_path(&c->config);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;
	if (fd >= 0)
		err = read_token(&c->admin_token, path, fd, msg);
	else if (errno == ENOENT)
		err = make_token(c, path, msg);
	else
		err = err_set(msg, -errno, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	free(path);
	return err;
}

/* Both are hashed first, so neither length nor content shows in the time. */
bool admin_token_matches(const struct collector *c, const char *token)
{
	uint8_t ours[32], theirs[32];
	if (!token)
		return false;
	crypto_generichash(ours, sizeof(ours), (const uint8_t *)c->admin_token,
	    strlen(c->admin_token), NULL, 0);
	crypto_generichash(theirs, sizeof(theirs), (const uint8_t *)token,
	    strlen(token), NULL, 0);
	return sodium_memcmp(ours, theirs, sizeof(ours)) == 0;
}

static void forget_token(struct collector *c)
{
	if (c->admin_token)
		sodium_memzero(c->admin_token, strlen(c->admin_token));
	free(c->admin_token);
	c->admin_token = NULL;
}

const struct part admin_token_part = {
	.name = "admin token",
	.open = load_token,
	.close = forget_token,
};
