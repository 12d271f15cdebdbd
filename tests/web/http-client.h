/* SPDX-License-Identifier: ISC */
/* The other side of a connection, byte for byte as a test wants it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"

struct reply {
	int status; /* 0: the connection ended without an answer */
	char *head; /* the header's lines; owned */
	char *body; /* chunks joined, terminated; owned */
	size_t body_len;
	bool whole; /* the body came to its end */
};
void reply_fini(struct reply *reply);
/* The value of a header line, copied into `to`; "" when absent. */
const char *reply_header(
    const struct reply *reply, const char *name, char to[static 256]);

/* url: "http://127.0.0.1:PORT".  -1 when it cannot connect. */
int client_connect(const char *url, const char *from, int receive_bytes);
void client_send(int fd, const char *text, size_t len);
/* Reads one answer; keeps the connection. */
struct reply client_reply(int fd, bool is_head);
/* Reads what is there until `until` was seen or the other side closes (then
 * false); appends to `to`, which is terminated. */
bool client_read_until(int fd, struct buf *to, const char *until);

/* One request on a connection of its own; lines: more header lines, each
 * ending in "\r\n", or NULL; body NULL: none. */
struct reply client_ask(const char *url, const char *request_line,
    const char *lines, const char *body);
