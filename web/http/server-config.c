/* SPDX-License-Identifier: ISC */
/* Reads the configuration, and finds what the start would refuse of it without
 * listening. */

#include "web/http/server-config.h"

#include <string.h>
#include <unistd.h>

#include "web/http/listen.h"
#include "web/http/static.h"

void server_config_read(
    struct server_config *server, const struct config *config)
{
	memset(server, 0, sizeof(*server));
	server->listen_count = config_list(config, "listen", &server->listen);
	server->host_name_count =
	    config_list(config, "host-name", &server->host_names);
	server->tls_cert = config_text(config, "tls-cert");
	server->tls_key = config_text(config, "tls-key");
	server->web_root = config_text(config, "web-root");
	server->open_reads = config_flag(config, "open-reads");
	server->connections_per_client =
	    (uint32_t)config_integer(config, "connections-per-client");
	server->requests_per_second =
	    (uint32_t)config_integer(config, "requests-per-second");
}

/* The one of the two files that is to blame for a pair that does not load. */
static const char *tls_culprit(const struct server_config *server)
{
	if (!server->tls_cert || !server->tls_key)
		return "listen";
	return access(server->tls_cert, R_OK) == 0 ? "tls-key" : "tls-cert";
}

/* Port 0 is another one each time. */
static bool stands_before(
    const struct server_config *server, size_t i, const struct listen_at *at)
{
	struct listen_at other;
	for (size_t k = 0; k < i && at->port != 0; k++)
		if (listen_parse(&other, server->listen[k], NULL) == ERR_OK &&
		    other.port == at->port &&
		    addr_equal(&other.addr, &at->addr))
			return true;
	return false;
}

static int check_listen(const struct server_config *server, size_t i,
    const char **key, struct errmsg *msg)
{
	struct listen_at at;
	struct listen_tls tls = { 0 };
	*key = "listen";
	if (i == SERVER_LISTENERS_MAX)
		return err_set(msg, ERR_CONFIG,
		    "listen: expected at most %d addresses, got %zu",
		    SERVER_LISTENERS_MAX, server->listen_count);
	int err = listen_parse(&at, server->listen[i], msg);
	if (err < 0)
		return err;
	if (stands_before(server, i, &at))
		return err_set(msg, ERR_CONFIG,
		    "listen: expected each address once, got '%.100s' again",
		    server->listen[i]);
	if (!at.tls)
		return ERR_OK;
	err = listen_load_tls(&tls, server->tls_cert, server->tls_key, msg);
	if (err < 0)
		*key = tls_culprit(server);
	listen_free_tls(&tls);
	return err;
}

int server_config_check(const struct config *config, struct errmsg *msg)
{
	struct server_config server;
	struct pages *pages = NULL;
	const char *key = "web-root";
	size_t i = 0;
	server_config_read(&server, config);
	int err = pages_open(&pages, server.web_root, msg);
	pages_close(pages);
	while (err == 0 && i < server.listen_count) {
		err = check_listen(&server, i, &key, msg);
		i += err == 0;
	}
	if (err < 0)
		config_blame(
		    config, key, strcmp(key, "listen") == 0 ? i : 0, msg);
	return err;
}
