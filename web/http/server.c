/* SPDX-License-Identifier: ISC */
/* Starting and stopping.  Each listener is a libmicrohttpd daemon with its own
 * epoll threads; the table of clients and the pools are shared by all. */

#include "web/http/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "web/http/exchange.h"
#include "web/http/http-private.h"
#include "web/http/listen.h"
#include "web/http/static.h"

enum {
	CONNECTIONS_MAX = 4096, /* of one listener */
	LOOP_THREADS = 2,
	READ_THREADS = 3,
	WRITE_THREADS = 2,
	IDLE_S = 15,
	HEADER_S = 10,
	GRACE_S = 2,
	END_S = 1, /* for connections to end, politely and then not */
	END_STEP_MS = 5,
	MEMORY_PER_CONNECTION = 32 * 1024,
	CONNECTIONS_PER_CLIENT = 64,
	REQUESTS_PER_SECOND = 500
};

#define TLS_PRIORITIES                                            \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:" \
	"+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:-RSA"

static bool peer_addr(const struct sockaddr *sa, struct addr *addr)
{
	*addr = (struct addr){ 0 };
	if (sa && sa->sa_family == AF_INET)
		*addr = addr_from_bytes(
		    &((const struct sockaddr_in *)sa)->sin_addr, 4);
	else if (sa && sa->sa_family == AF_INET6)
		*addr = addr_from_bytes(
		    &((const struct sockaddr_in6 *)sa)->sin6_addr, 16);
	return addr->family != 0;
}

static enum MHD_Result admit(
    void *arg, const struct sockaddr *sa, socklen_t len)
{
	const struct listener *listener = arg;
	struct addr addr;
	(void)len;
	return !atomic_load(&listener->server->ending) &&
		peer_addr(sa, &addr) &&
		clients_admit(listener->server->clients, &addr)
	    ? MHD_YES
	    : MHD_NO;
}

static void notice_connection(void *arg, struct MHD_Connection *connection,
    void **context, enum MHD_ConnectionNotificationCode code)
{
	struct listener *listener = arg;
	struct clients *clients = listener->server->clients;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		exchange_abandon(connection_task(*context));
		clients_close(clients, *context);
		return;
	}
	struct addr addr;
	peer_addr(MHD_get_connection_info(
		      connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
		      ->client_addr,
	    &addr);
	int fd = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_CONNECTION_FD)
		     ->connect_fd;
	struct connection *opened = clients_open(clients, &addr, fd);
	connection_set_deadline(
	    opened, monotime_add(monotime_now(), HEADER_S * NS_PER_S));
	*context = opened;
}

/* Paths are decoded by segments, where their template is known. */
static size_t keep_escapes(
    void *arg, struct MHD_Connection *connection, char *text)
{
	(void)arg, (void)connection;
	return strlen(text);
}

static int start_daemon(struct listener *listener, int fd,
    const struct listen_tls *tls, struct errmsg *msg)
{
	struct MHD_OptionItem tls_options[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, tls->cert },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, tls->key },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0,
		    (void *)(uintptr_t)TLS_PRIORITIES },
		{ MHD_OPTION_END, 0, NULL },
	};
	if (!listener->tls)
		tls_options[0].option = MHD_OPTION_END;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD |
	    MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
	    (listener->tls ? MHD_USE_TLS : 0);
	listener->daemon = MHD_start_daemon(flags, 0, admit, listener,
	    exchange_step, listener, MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_THREAD_POOL_SIZE, (unsigned)LOOP_THREADS,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_CONNECTION,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION,
	    notice_connection, listener, MHD_OPTION_NOTIFY_COMPLETED,
	    exchange_end, listener, MHD_OPTION_URI_LOG_CALLBACK, exchange_start,
	    listener, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
	    MHD_OPTION_ARRAY, tls_options, MHD_OPTION_END);
	if (listener->daemon)
		return 0;
	return err_set(
	    msg, -EIO, "%s: the HTTP server does not start", listener->url);
}

static int open_listener(struct server *server,
    const struct server_config *config, const char *text, struct errmsg *msg)
{
	struct listen_at at;
	struct listen_tls tls = { 0 };
	int fd = -1;
	if (server->listener_count == SERVER_LISTENERS_MAX)
		return err_set(msg, ERR_CONFIG,
		    "listen: expected at most %d addresses",
		    SERVER_LISTENERS_MAX);
	struct listener *listener = &server->listeners[server->listener_count];
	int err = listen_parse(&at, text, msg);
	if (err < 0)
		return err;
	if (at.tls)
		err = listen_load_tls(
		    &tls, config->tls_cert, config->tls_key, msg);
	if (err < 0)
		goto out;
	err = listen_open(&fd, &at, msg);
	if (err < 0)
		goto out;
	listener->server = server;
	listener->tls = at.tls;
	listen_url(&at, listener->url);
	err = start_daemon(listener, fd, &tls, msg);
	if (err < 0)
		close(fd);
	else
		server->listener_count++;
out:
	listen_free_tls(&tls);
	return err;
}

/* Keeps deadlines until the server stops. */
static void *keep_time(void *arg)
{
	struct server *server = arg;
	const struct application *app = server->app;
	while (in_flight_sleep(&server->flight)) {
		struct monotime now = monotime_now();
		clients_sweep(server->clients, now);
		app->tick(app->ctx, now);
	}
	return NULL;
}

/* Connections are descriptors; the usual soft limit is 1024. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	rlim_t want = CONNECTIONS_MAX + 1024;
	if (want > limit.rlim_max)
		want = limit.rlim_max;
	if (limit.rlim_cur < want) {
		limit.rlim_cur = want;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static struct server *server_new(
    const struct server_config *config, const struct application *app)
{
	struct server *server = xcalloc(1, sizeof(*server));
	server->app = app;
	server->origins = (struct origin_rules){
		.host_names = config->host_names,
		.host_name_count = config->host_name_count,
		.open_reads = config->open_reads,
	};
	struct clients_config limits = {
		.connections = config->connections_per_client
		    ? config->connections_per_client
		    : CONNECTIONS_PER_CLIENT,
		.per_second = config->requests_per_second
		    ? config->requests_per_second
		    : REQUESTS_PER_SECOND,
	};
	server->clients = clients_new(&limits);
	in_flight_init(&server->flight);
	return server;
}

static int start_threads(struct server *server, struct errmsg *msg)
{
	int err =
	    worker_pool_open(&server->reads, READ_THREADS, "web-read", msg);
	if (err < 0)
		return err;
	err =
	    worker_pool_open(&server->writes, WRITE_THREADS, "web-write", msg);
	if (err < 0)
		return err;
	err = pthread_create(&server->clock, NULL, keep_time, server);
	if (err != 0)
		return err_set(msg, -err, "thread: %s", err_str(-err));
	server->clock_runs = true;
	pthread_setname_np(server->clock, "web-clock");
	return 0;
}

int server_start(struct server **result, const struct server_config *config,
    const struct application *app, struct errmsg *msg)
{
	static const char *const fallback[] = { "127.0.0.1:8470" };
	const char *const *at =
	    config->listen_count ? config->listen : fallback;
	size_t count = config->listen_count ? config->listen_count : 1;
	raise_descriptor_limit();
	struct server *server = server_new(config, app);
	int err = pages_open(&server->pages, config->web_root, msg);
	if (err < 0)
		goto out;
	err = start_threads(server, msg);
	if (err < 0)
		goto out;
	for (size_t i = 0; i < count && err == 0; i++)
		err = open_listener(server, config, at[i], msg);
out:
	if (err < 0) {
		server_stop(server);
		return err;
	}
	*result = server;
	return 0;
}

static bool has_connections(const struct server *server)
{
	struct clients_stats stats;
	clients_stats(server->clients, &stats);
	return stats.connections > 0;
}

/* MHD_stop_daemon must find no connection: one whose request is just being
 * refused by the library itself (its header does not fit) would dereference
 * the answer that a daemon which stops no longer takes.  New connections are
 * turned away by admit: MHD_quiesce_daemon aborts when a loop thread takes the
 * socket out of its epoll set at the same time.  (Both: 0.9.75.) */
static void end_connections(struct server *server)
{
	atomic_store(&server->ending, true);
	for (int politely = 1; politely >= 0; politely--) {
		struct monotime end =
		    monotime_add(monotime_now(), END_S * NS_PER_S);
		do {
			clients_end(server->clients, politely);
			poll(NULL, 0, END_STEP_MS);
		} while (has_connections(server) &&
		    monotime_before(monotime_now(), end));
	}
}

void server_stop(struct server *server)
{
	if (!server)
		return;
	in_flight_stop(&server->flight);
	if (server->clock_runs)
		pthread_join(server->clock, NULL);
	in_flight_wait(&server->flight, GRACE_S);
	if (server->clients)
		end_connections(server);
	for (size_t i = 0; i < server->listener_count; i++)
		MHD_stop_daemon(server->listeners[i].daemon);
	worker_pool_free(server->reads);
	worker_pool_free(server->writes);
	pages_close(server->pages);
	clients_free(server->clients);
	in_flight_fini(&server->flight);
	free(server);
}

const char *server_url(const struct server *server, size_t index)
{
	return index < server->listener_count ? server->listeners[index].url
					      : NULL;
}

void server_stats(const struct server *server, struct server_stats *stats)
{
	const struct server_counters *counters = &server->counters;
	clients_stats(server->clients, &stats->clients);
	for (size_t i = 0; i < sizeof(stats->answers) / sizeof(uint64_t); i++)
		stats->answers[i] = atomic_load(&counters->answers[i]);
	stats->body_bytes_in = atomic_load(&counters->body_bytes_in);
	stats->body_bytes_out = atomic_load(&counters->body_bytes_out);
}
