/* SPDX-License-Identifier: ISC */
/* A table of clients and a list of connections under one lock.  A connection
 * is cut by shutting its socket down, which the server's loop then sees; the
 * lock makes sure that the descriptor is still that connection's. */

#include "web/http/client-limits.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "lib/base/xalloc.h"

enum { BUCKETS = 4096 };

struct client_limits {
	struct client_limits *next;
	struct addr addr;
	uint32_t connections;
	double tokens;
	struct monotime refilled;
};

struct connection {
	struct connection *next, **link;
	struct client_limits *client;
	struct addr addr;
	int fd;
	void *task; /* borrowed */
	atomic_int_least64_t deadline_ns;
};

struct clients {
	struct clients_config config;
	uint64_t key;
	pthread_mutex_t lock;
	struct client_limits *buckets[BUCKETS];
	struct connection *connections;
	struct clients_stats stats;
};

struct clients *clients_new(const struct clients_config *config)
{
	struct clients *clients = xcalloc(1, sizeof(*clients));
	clients->config = *config;
	if (getrandom(&clients->key, sizeof(clients->key), 0) < 0)
		BUG("getrandom");
	pthread_mutex_init(&clients->lock, NULL);
	return clients;
}

void clients_free(struct clients *clients)
{
	if (!clients)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (clients->buckets[i]) {
			struct client_limits *client = clients->buckets[i];
			clients->buckets[i] = client->next;
			free(client);
		}
	}
	pthread_mutex_destroy(&clients->lock);
	free(clients);
}

/* One customer of an IPv6 network has at least a /64 to choose from. */
static struct addr client_of(const struct addr *addr)
{
	return addr->family == 6 ? prefix_of(addr, 64).addr : *addr;
}

/* The client's row, a new one if make; NULL otherwise. */
static struct client_limits *find_client(
    struct clients *clients, const struct addr *addr, bool make)
{
	struct addr key = client_of(addr);
	size_t bucket = addr_hash(&key, clients->key) % BUCKETS;
	struct client_limits *client = clients->buckets[bucket];
	while (client && !addr_equal(&client->addr, &key))
		client = client->next;
	if (client || !make)
		return client;
	client = xcalloc(1, sizeof(*client));
	client->addr = key;
	client->tokens = 2.0 * clients->config.per_second;
	client->refilled = monotime_now();
	client->next = clients->buckets[bucket];
	clients->buckets[bucket] = client;
	clients->stats.clients++;
	return client;
}

bool clients_admit(struct clients *clients, const struct addr *addr)
{
	pthread_mutex_lock(&clients->lock);
	const struct client_limits *client = find_client(clients, addr, false);
	bool admit =
	    !client || client->connections < clients->config.connections;
	clients->stats.refused += !admit;
	pthread_mutex_unlock(&clients->lock);
	return admit;
}

void connection_cut(struct connection *connection)
{
	shutdown(connection->fd, SHUT_RDWR);
}

struct connection *clients_open(
    struct clients *clients, const struct addr *addr, int fd)
{
	struct connection *connection = xcalloc(1, sizeof(*connection));
	connection->addr = *addr;
	connection->fd = fd;
	atomic_init(&connection->deadline_ns, INT64_MAX);
	pthread_mutex_lock(&clients->lock);
	connection->client = find_client(clients, addr, true);
	connection->client->connections++;
	connection->next = clients->connections;
	connection->link = &clients->connections;
	if (connection->next)
		connection->next->link = &connection->next;
	clients->connections = connection;
	clients->stats.connections++;
	if (connection->client->connections > clients->config.connections) {
		clients->stats.refused++;
		connection_cut(connection);
	}
	pthread_mutex_unlock(&clients->lock);
	return connection;
}

void clients_close(struct clients *clients, struct connection *connection)
{
	pthread_mutex_lock(&clients->lock);
	connection->client->connections--;
	*connection->link = connection->next;
	if (connection->next)
		connection->next->link = connection->link;
	clients->stats.connections--;
	pthread_mutex_unlock(&clients->lock);
	free(connection);
}

static void refill(
    struct client_limits *client, uint32_t per_second, struct monotime now)
{
	double s = (double)monotime_diff(now, client->refilled) / NS_PER_S;
	if (s <= 0)
		return;
	client->tokens += s * per_second;
	if (client->tokens > 2.0 * per_second)
		client->tokens = 2.0 * per_second;
	client->refilled = now;
}

bool clients_charge(struct clients *clients, struct connection *connection,
    uint32_t cost, struct monotime now)
{
	pthread_mutex_lock(&clients->lock);
	struct client_limits *client = connection->client;
	refill(client, clients->config.per_second, now);
	bool enough = client->tokens >= cost;
	if (enough)
		client->tokens -= cost;
	clients->stats.limited += !enough;
	pthread_mutex_unlock(&clients->lock);
	return enough;
}

void connection_set_deadline(
    struct connection *connection, struct monotime deadline)
{
	atomic_store(&connection->deadline_ns, deadline.ns);
}

void connection_set_task(struct connection *connection, void *task)
{
	connection->task = task;
}

void *connection_task(const struct connection *connection)
{
	return connection->task;
}

const struct addr *connection_addr(const struct connection *connection)
{
	return &connection->addr;
}

void connection_limit_buffer(struct connection *connection, int bytes)
{
	/* The kernel's own limit holds where this fails. */
	(void)setsockopt(
	    connection->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

void clients_end(struct clients *clients, bool politely)
{
	pthread_mutex_lock(&clients->lock);
	struct connection *c = clients->connections;
	for (; c; c = c->next)
		shutdown(c->fd, politely ? SHUT_RD : SHUT_RDWR);
	pthread_mutex_unlock(&clients->lock);
}

static void forget_idle(struct clients *clients, struct monotime now)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct client_limits **at = &clients->buckets[i];
		while (*at) {
			struct client_limits *client = *at;
			refill(client, clients->config.per_second, now);
			if (client->connections > 0 ||
			    client->tokens < 2.0 * clients->config.per_second) {
				at = &client->next;
				continue;
			}
			*at = client->next;
			free(client);
			clients->stats.clients--;
		}
	}
}

void clients_sweep(struct clients *clients, struct monotime now)
{
	pthread_mutex_lock(&clients->lock);
	struct connection *c = clients->connections;
	for (; c; c = c->next) {
		if (atomic_load(&c->deadline_ns) > now.ns)
			continue;
		/* Once is enough; closing it is the server's part. */
		atomic_store(&c->deadline_ns, INT64_MAX);
		connection_cut(c);
		clients->stats.overdue++;
	}
	forget_idle(clients, now);
	pthread_mutex_unlock(&clients->lock);
}

void clients_stats(struct clients *clients, struct clients_stats *stats)
{
	pthread_mutex_lock(&clients->lock);
	*stats = clients->stats;
	pthread_mutex_unlock(&clients->lock);
}
