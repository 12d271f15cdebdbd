/* SPDX-License-Identifier: ISC */
/* A request is the type of the socket; an answer is the type and the error,
 * with the socket where there is none. */
#include "probes/sensor/packet-feed.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "probes/ipc/fd-pass.h"

struct feed_reply {
	int32_t type, err;
};

static bool is_type(int type)
{
	return type == SOCK_RAW || type == SOCK_DGRAM;
}

int packet_feed_open(int type)
{
	/* Protocol 0: it hears nothing. */
	int fd = socket(AF_PACKET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd < 0 ? -errno : fd;
}

bool packet_feed_serve(int fd)
{
	int32_t type;
	ssize_t n = recv(fd, &type, sizeof(type), MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n != sizeof(type) || !is_type(type))
		return false;
	int opened = packet_feed_open(type);
	const struct feed_reply reply = { type, opened < 0 ? opened : 0 };
	/* One that does not read what it asks for gets nothing. */
	if (opened < 0) {
		(void)!send(
		    fd, &reply, sizeof(reply), MSG_DONTWAIT | MSG_NOSIGNAL);
		return true;
	}
	pass_send(fd, opened, &reply, sizeof(reply));
	close(opened);
	return true;
}

int packet_feed_ask(int fd, int type)
{
	const int32_t asked = type;
	return send(fd, &asked, sizeof(asked), MSG_DONTWAIT | MSG_NOSIGNAL) ==
		sizeof(asked)
	    ? 0
	    : -errno;
}

int packet_feed_take(int fd, int *type)
{
	struct feed_reply reply = { 0 };
	int socket_fd = -1;
	int err = pass_receive(fd, &socket_fd, &reply, sizeof(reply));
	*type = reply.type;
	if (err == 0)
		return socket_fd;
	/* An error comes without a socket. */
	return err == ERR_MALFORMED && reply.err < 0 ? reply.err : err;
}
