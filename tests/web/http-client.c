/* SPDX-License-Identifier: ISC */
/* A small HTTP/1.1 client that does exactly what it is told, mistakes too. */

#include "tests/web/http-client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/xalloc.h"

void reply_fini(struct reply *reply)
{
	free(reply->head);
	free(reply->body);
	memset(reply, 0, sizeof(*reply));
}

const char *reply_header(
    const struct reply *reply, const char *name, char to[static 256])
{
	size_t len = strlen(name);
	to[0] = 0;
	const char *p = reply->head ? reply->head : "";
	for (; *p; p += strcspn(p, "\n") + (strchr(p, '\n') != NULL)) {
		if (strncasecmp(p, name, len) != 0 || p[len] != ':')
			continue;
		p += len + 1;
		p += strspn(p, " ");
		snprintf(to, 256, "%.*s", (int)strcspn(p, "\r\n"), p);
		break;
	}
	return to;
}

int client_connect(const char *url, const char *from, int receive_bytes)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	const char *colon = strrchr(url, ':');
	to.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct timeval patience = { .tv_sec = 120 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (receive_bytes)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes,
		    sizeof(receive_bytes));
	if (from) {
		struct sockaddr_in here = { .sin_family = AF_INET };
		inet_pton(AF_INET, from, &here.sin_addr);
		if (bind(fd, (struct sockaddr *)&here, sizeof(here)) != 0)
			abort();
	}
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

void client_send(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
		if (n <= 0)
			return; /* the answer, or its absence, tells */
		text += n;
		len -= (size_t)n;
	}
}

static bool read_more(int fd, struct buf *to)
{
	char block[16384];
	ssize_t n = recv(fd, block, sizeof(block), 0);
	if (n <= 0)
		return false;
	buf_bytes(to, block, (size_t)n);
	buf_u8(to, 0);
	to->len--;
	return true;
}

bool client_read_until(int fd, struct buf *to, const char *until)
{
	while (to->len == 0 || !strstr((char *)to->data, until))
		if (!read_more(fd, to))
			return false;
	return true;
}

/* Joins chunks; false: more bytes are needed. */
static bool join_chunks(const struct buf *in, size_t at, struct buf *out)
{
	buf_clear(out);
	for (;;) {
		const char *p = (const char *)in->data + at;
		const char *line = in->len > at ? strstr(p, "\r\n") : NULL;
		if (!line)
			return false;
		size_t len = strtoul(p, NULL, 16);
		at = (size_t)(line + 2 - (const char *)in->data);
		if (in->len < at + len + 2)
			return false;
		buf_bytes(out, in->data + at, len);
		at += len + 2;
		if (len == 0)
			return true;
	}
}

static void read_body(
    int fd, struct reply *reply, struct buf *in, size_t head_len)
{
	char value[256];
	struct buf out = { 0 };
	if (strcasecmp(reply_header(reply, "Transfer-Encoding", value),
		"chunked") == 0) {
		do {
			reply->whole = join_chunks(in, head_len, &out);
		} while (!reply->whole && read_more(fd, in));
	} else {
		size_t want = strtoul(
		    reply_header(reply, "Content-Length", value), NULL, 10);
		while (in->len < head_len + want && read_more(fd, in))
			;
		reply->whole = in->len >= head_len + want;
		if (in->len > head_len)
			buf_bytes(&out, in->data + head_len,
			    reply->whole ? want : in->len - head_len);
	}
	reply->body_len = out.len;
	buf_u8(&out, 0);
	reply->body = (char *)out.data;
}

struct reply client_reply(int fd, bool is_head)
{
	struct reply reply = { 0 };
	struct buf in = { 0 };
	if (client_read_until(fd, &in, "\r\n\r\n")) {
		size_t len = (size_t)(strstr((char *)in.data, "\r\n\r\n") + 4 -
		    (char *)in.data);
		reply.head = xstrndup((char *)in.data, len);
		const char *space = strchr(reply.head, ' ');
		reply.status = space ? (int)strtol(space, NULL, 10) : 0;
		if (!is_head && reply.status != 304)
			read_body(fd, &reply, &in, len);
		else
			reply.whole = in.len == len;
	}
	buf_fini(&in);
	return reply;
}

struct reply client_ask(const char *url, const char *request_line,
    const char *lines, const char *body)
{
	int fd = client_connect(url, NULL, 0);
	if (fd < 0)
		return (struct reply){ 0 };
	struct buf out = { 0 };
	bool own_host = lines && strcasestr(lines, "host:");
	buf_printf(&out, "%s HTTP/1.1\r\n%s%s", request_line,
	    own_host ? "" : "Host: 127.0.0.1\r\n", lines ? lines : "");
	if (body)
		buf_printf(&out, "Content-Length: %zu\r\n", strlen(body));
	buf_printf(&out, "\r\n%s", body ? body : "");
	client_send(fd, (char *)out.data, out.len);
	buf_fini(&out);
	struct reply reply =
	    client_reply(fd, strncmp(request_line, "HEAD ", 5) == 0);
	close(fd);
	return reply;
}
