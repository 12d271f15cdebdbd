/* SPDX-License-Identifier: ISC */
/* Starting and stopping.  Each listener is a libmicrohttpd daemon with its
 * own epoll threads; clients, pools and streams are shared by all. */

#include "web/http/server.h"
#include "collector/core/listener.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "collector/fleet/campaign.h"
#include "web/http/exchange.h"
#include "web/api/event-stream.h"
#include "web/http/listen.h"
#include "web/api/long-poll.h"
#include "web/http/static.h"
#include "web/http/http-private.h"

enum {
	CONNECTIONS_MAX = 4096, /* of one listener */
	LOOP_THREADS = 2,
	READ_THREADS = 3,
	WRITE_THREADS = 2,
	IDLE_S = 15,
	HEADER_S = 10,
	GRACE_S = 2,
	MEMORY_PER_CONNECTION = 32 * 1024,
	CONNECTIONS_PER_CLIENT = 64,
	REQUESTS_PER_SECOND = 500
};

#define TLS_PRIORITIES                                            \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:" \
	"+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:-RSA"

void web_config_read(struct web_config *web, const struct config *config)
{
	memset(web, 0, sizeof(*web));
	web->listen_count = config_list(config, "listen", &web->listen);
	web->host_name_count =
	    config_list(config, "host-name", &web->host_names);
	web->tls_cert = config_text(config, "tls-cert");
	web->tls_key = config_text(config, "tls-key");
	web->web_root = config_text(config, "web-root");
	web->open_reads = config_flag(config, "open-reads");
	web->connections_per_client =
	    (uint32_t)config_integer(config, "connections-per-client");
	web->requests_per_second =
	    (uint32_t)config_integer(config, "requests-per-second");
}

bool web_hold(struct web *web)
{
	pthread_mutex_lock(&web->lock);
	bool held = !web->stopping;
	web->held += held;
	pthread_mutex_unlock(&web->lock);
	return held;
}

void web_release(struct web *web)
{
	pthread_mutex_lock(&web->lock);
	web->held--;
	if (web->held == 0)
		pthread_cond_broadcast(&web->changed);
	pthread_mutex_unlock(&web->lock);
}

void web_enter(struct web *web)
{
	pthread_mutex_lock(&web->lock);
	web->running++;
	pthread_mutex_unlock(&web->lock);
}

void web_leave(struct web *web)
{
	pthread_mutex_lock(&web->lock);
	web->running--;
	if (web->running == 0)
		pthread_cond_broadcast(&web->changed);
	pthread_mutex_unlock(&web->lock);
}

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
	const struct web_listener *listener = arg;
	struct addr addr;
	(void)len;
	return peer_addr(sa, &addr) &&
		clients_admit(listener->web->clients, &addr)
	    ? MHD_YES
	    : MHD_NO;
}

static void notice_connection(void *arg, struct MHD_Connection *connection,
    void **context, enum MHD_ConnectionNotificationCode code)
{
	struct web_listener *listener = arg;
	struct clients *clients = listener->web->clients;
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

static int start_daemon(struct web_listener *listener, int fd,
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

static int open_listener(struct web *web, const struct web_config *config,
    const char *text, struct errmsg *msg)
{
	struct listen_at at;
	struct listen_tls tls = { 0 };
	if (web->listener_count == WEB_LISTENERS_MAX)
		return err_set(msg, ERR_CONFIG,
		    "listen: expected at most %d addresses", WEB_LISTENERS_MAX);
	struct web_listener *listener = &web->listeners[web->listener_count];
	int fd = -1;
	int err = listen_parse(&at, text, msg);
	if (err == 0 && at.tls)
		err = listen_load_tls(
		    &tls, config->tls_cert, config->tls_key, msg);
	if (err == 0)
		err = listen_open(&fd, &at, msg);
	if (err == 0) {
		listener->web = web;
		listener->tls = at.tls;
		listen_url(&at, listener->url);
		err = start_daemon(listener, fd, &tls, msg);
		if (err == 0)
			web->listener_count++;
		else
			close(fd);
	}
	listen_free_tls(&tls);
	return err;
}

/* Keeps deadlines until the server stops. */
static void *keep_time(void *arg)
{
	struct web *web = arg;
	pthread_mutex_lock(&web->lock);
	while (!web->stopping) {
		struct timespec until;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec++;
		pthread_cond_timedwait(&web->changed, &web->lock, &until);
		pthread_mutex_unlock(&web->lock);
		clients_sweep(web->clients, monotime_now());
		polls_tick(web->polls, monotime_now());
		pthread_mutex_lock(&web->lock);
	}
	pthread_mutex_unlock(&web->lock);
	return NULL;
}

static void work_changed(void *ctx, uint64_t revision)
{
	const struct web *web = ctx;
	polls_revision(web->polls, revision);
}

static void event_added(void *ctx, uint64_t last_id)
{
	const struct web *web = ctx;
	(void)last_id;
	feed_notice(web->feed);
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

static struct web *web_new(
    const struct web_config *config, struct collector *collector)
{
	struct web *web = xcalloc(1, sizeof(*web));
	web->collector = collector;
	web->guard = (struct guard){
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
	web->clients = clients_new(&limits);
	pthread_mutex_init(&web->lock, NULL);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&web->changed, &attr);
	pthread_condattr_destroy(&attr);
	return web;
}

static void start_threads(struct web *web)
{
	web->reads = pool_new(READ_THREADS, "web-read");
	web->writes = pool_new(WRITE_THREADS, "web-write");
	web->feed = feed_new(web);
	web->polls = polls_new(web);
	const struct collector_listener listener = { work_changed, event_added,
		web };
	collector_listen(web->collector, &listener);
	/* What changed between asking and listening. */
	polls_revision(web->polls, campaign_revision(web->collector));
	feed_notice(web->feed);
	int err = pthread_create(&web->clock, NULL, keep_time, web);
	if (err != 0)
		BUG("thread: %s", err_str(-err));
	pthread_setname_np(web->clock, "web-clock");
}

int web_start(struct web **result, const struct web_config *config,
    struct collector *collector, struct errmsg *msg)
{
	static const char *const fallback[] = { "127.0.0.1:8470" };
	const char *const *at =
	    config->listen_count ? config->listen : fallback;
	size_t count = config->listen_count ? config->listen_count : 1;
	raise_descriptor_limit();
	struct web *web = web_new(config, collector);
	int err = pages_open(&web->pages, config->web_root, msg);
	if (err != 0) {
		clients_free(web->clients);
		free(web);
		return err;
	}
	start_threads(web);
	for (size_t i = 0; i < count && err == 0; i++)
		err = open_listener(web, config, at[i], msg);
	if (err != 0) {
		web_stop(web);
		return err;
	}
	*result = web;
	return 0;
}

/* Until nobody is suspended (a daemon may not be stopped before), and then a
 * moment for the answers to go out. */
static void wait_for_answers(struct web *web)
{
	struct timespec until;
	pthread_mutex_lock(&web->lock);
	while (web->held > 0)
		pthread_cond_wait(&web->changed, &web->lock);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += GRACE_S;
	while (web->running > 0 &&
	    pthread_cond_timedwait(&web->changed, &web->lock, &until) == 0)
		;
	pthread_mutex_unlock(&web->lock);
}

void web_stop(struct web *web)
{
	if (!web)
		return;
	collector_listen(web->collector, NULL);
	pthread_mutex_lock(&web->lock);
	web->stopping = true;
	pthread_cond_broadcast(&web->changed);
	pthread_mutex_unlock(&web->lock);
	pthread_join(web->clock, NULL);
	feed_stop(web->feed);
	polls_stop(web->polls);
	wait_for_answers(web);
	for (size_t i = 0; i < web->listener_count; i++)
		MHD_stop_daemon(web->listeners[i].daemon);
	pool_free(web->reads);
	pool_free(web->writes);
	polls_free(web->polls);
	feed_free(web->feed);
	pages_close(web->pages);
	clients_free(web->clients);
	pthread_cond_destroy(&web->changed);
	pthread_mutex_destroy(&web->lock);
	free(web);
}

const char *web_url(const struct web *web, size_t index)
{
	return index < web->listener_count ? web->listeners[index].url : NULL;
}
