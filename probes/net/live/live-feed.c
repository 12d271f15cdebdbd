/* SPDX-License-Identifier: ISC */
#include "probes/net/live/live-feed.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STREAMS 8 /* of one answer: few probes ask for one */

union feed_control {
	struct cmsghdr head; /* for its alignment */
	char space[CMSG_SPACE(LIVE_FEED_SOCKETS * sizeof(int))];
};

struct feed_head {
	uint8_t type, six;
};

/* A filter of TCP takes a privilege that the guardian has given up. */
static bool make_deaf(int fd)
{
	struct sock_filter drop_all = { BPF_RET | BPF_K, 0, 0, 0 };
	const struct sock_fprog filter = { 1, &drop_all };
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
		   sizeof(filter)) == 0;
}

/* A socket of IPv6 speaks IPv4 too, where this host has IPv6. */
int live_feed_open(bool *six, int type)
{
	const int off = 0, kind = type | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int fd = *six ? socket(AF_INET6, kind, 0) : -1;
	if (fd >= 0 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0) {
		close(fd);
		fd = -1;
	}
	if (fd < 0 && (!*six || errno == EAFNOSUPPORT)) {
		*six = false;
		fd = socket(AF_INET, kind, 0);
	}
	if (fd < 0 || type != SOCK_STREAM || make_deaf(fd))
		return fd;
	close(fd);
	return -1;
}

static void send_answer(int fd, const struct live_feed_answer *a)
{
	struct feed_head head = { (uint8_t)a->type, a->six };
	struct iovec io = { &head, sizeof(head) };
	union feed_control control = { .space = { 0 } };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
	if (a->count > 0) {
		m.msg_control = control.space;
		m.msg_controllen = CMSG_SPACE(a->count * sizeof(int));
		struct cmsghdr *c = &control.head;
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(a->count * sizeof(int));
		memcpy(CMSG_DATA(c), a->fds, a->count * sizeof(int));
	}
	/* One that does not read what it asks for gets nothing. */
	(void)!sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool live_feed_serve(int fd)
{
	uint8_t type;
	ssize_t n = recv(fd, &type, sizeof(type), MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n != sizeof(type) || (type != SOCK_DGRAM && type != SOCK_STREAM))
		return false;
	struct live_feed_answer a = { .type = type, .six = true };
	size_t most = type == SOCK_STREAM ? STREAMS : LIVE_FEED_SOCKETS;
	while (a.count < most) {
		int one = live_feed_open(&a.six, type);
		if (one < 0)
			break;
		a.fds[a.count++] = one;
	}
	send_answer(fd, &a);
	while (a.count > 0)
		close(a.fds[--a.count]);
	return true;
}

int live_feed_ask(int fd, int type)
{
	const uint8_t asked = (uint8_t)type;
	return send(fd, &asked, sizeof(asked), MSG_DONTWAIT | MSG_NOSIGNAL) ==
		sizeof(asked)
	    ? 0
	    : -errno;
}

bool live_feed_take(int fd, int wait_ms, struct live_feed_answer *answer)
{
	struct feed_head head = { 0 };
	struct iovec io = { &head, sizeof(head) };
	union feed_control control = { .space = { 0 } };
	struct msghdr m = { .msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space) };
	struct pollfd p = { fd, POLLIN, 0 };
	if (wait_ms > 0 && poll(&p, 1, wait_ms) <= 0)
		return false;
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n != sizeof(head))
		return false;
	*answer = (struct live_feed_answer){ .type = head.type,
		.six = head.six != 0 };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		answer->count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(answer->fds, CMSG_DATA(c), answer->count * sizeof(int));
	}
	return true;
}
