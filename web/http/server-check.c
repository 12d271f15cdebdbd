/* SPDX-License-Identifier: ISC */
/* What the start would refuse of the HTTP face's configuration, found without
 * listening. */

#include <string.h>
#include <unistd.h>

#include "web/http/listen.h"
#include "web/http/server.h"
#include "web/http/static.h"
#include "web/http/http-private.h"

/* The one of the two files that is to blame for a pair that does not load. */
static const char *tls_culprit(const struct web_config *web)
{
	if (!web->tls_cert || !web->tls_key)
		return "listen";
	return access(web->tls_cert, R_OK) == 0 ? "tls-key" : "tls-cert";
}

static int check_listen(const struct web_config *web, size_t i,
    const char **key, struct errmsg *msg)
{
	struct listen_at at;
	struct listen_tls tls = { 0 };
	*key = "listen";
	if (i == WEB_LISTENERS_MAX)
		return err_set(msg, ERR_CONFIG,
		    "listen: expected at most %d addresses, got %zu",
		    WEB_LISTENERS_MAX, web->listen_count);
	int err = listen_parse(&at, web->listen[i], msg);
	if (err < 0 || !at.tls)
		return err;
	err = listen_load_tls(&tls, web->tls_cert, web->tls_key, msg);
	if (err < 0)
		*key = tls_culprit(web);
	listen_free_tls(&tls);
	return err;
}

int web_config_check(const struct config *config, struct errmsg *msg)
{
	struct web_config web;
	struct pages *pages = NULL;
	const char *key = "web-root";
	size_t i = 0;
	web_config_read(&web, config);
	int err = pages_open(&pages, web.web_root, msg);
	pages_close(pages);
	while (err == 0 && i < web.listen_count) {
		err = check_listen(&web, i, &key, msg);
		i += err == 0;
	}
	if (err < 0)
		config_blame(
		    config, key, strcmp(key, "listen") == 0 ? i : 0, msg);
	return err;
}
