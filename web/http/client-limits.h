/* SPDX-License-Identifier: ISC */
/*
 * Who is connected: how many connections and requests one client (an IPv4
 * address or an IPv6 /64) may have, and until when each connection must have
 * sent its header, sent its body, or taken its answer.  The server library
 * only knows inactivity, which a byte every few seconds satisfies for ever.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"

struct clients_config {
	uint32_t connections; /* per client */
	uint32_t per_second;  /* requests per client; bursts of twice that */
};

struct clients;
struct connection;

struct clients *clients_new(const struct clients_config *config);
void clients_free(struct clients *clients); /* all connections are closed */

/* May this client connect once more?  An early no; the count that holds is
 * made by clients_open. */
bool clients_admit(struct clients *clients, const struct addr *addr);

/* Counts a connection from its start to its end.  One above the client's share
 * (several threads admit at the same time) is cut at once. */
struct connection *clients_open(
    struct clients *clients, const struct addr *addr, int fd);
void clients_close(struct clients *clients, struct connection *connection);

/* Takes cost tokens of the client's bucket; false: too many requests. */
bool clients_charge(struct clients *clients, struct connection *connection,
    uint32_t cost, struct monotime now);

/* The connection is cut when the deadline passes; INT64_MAX: never. */
void connection_set_deadline(
    struct connection *connection, struct monotime deadline);
/* What it is busy with, the caller's; NULL: nothing. */
void connection_set_task(struct connection *connection, void *task);
void *connection_task(const struct connection *connection);
const struct addr *connection_addr(const struct connection *connection);
/* Bounds what the kernel holds for a reader that does not read. */
void connection_limit_buffer(struct connection *connection, int bytes);
/* Cuts it now: both directions are shut down. */
void connection_cut(struct connection *connection);

/* Ends every connection.  Politely: nothing more is read of it, so that it
 * ends once its answer is sent; else it is cut.  Closing is the server's part,
 * as always: clients_stats says when none is left. */
void clients_end(struct clients *clients, bool politely);

/* Once a second or so: cuts what is overdue, forgets idle clients. */
void clients_sweep(struct clients *clients, struct monotime now);

struct clients_stats {
	uint64_t connections, clients; /* now */
	uint64_t refused;              /* too many connections of a client */
	uint64_t limited;              /* too many requests */
	uint64_t overdue;              /* cut at a deadline */
};
void clients_stats(struct clients *clients, struct clients_stats *stats);
