/* SPDX-License-Identifier: ISC */
/* The control message that carries a descriptor, built and taken apart. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "probes/ipc/fd-pass.h"

union control {
	struct cmsghdr head; /* for its alignment */
	char space[CMSG_SPACE(sizeof(int))];
};

int pass_send(int socket_fd, int fd, const void *message, size_t len)
{
	struct iovec io = { (void *)message, len };
	union control control = { .space = { 0 } };
	struct msghdr m = { .msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	ssize_t n = sendmsg(socket_fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n == (ssize_t)len ? 0 : n < 0 ? -errno : -EMSGSIZE;
}

int pass_receive(int socket_fd, int *fd, void *message, size_t len)
{
	struct iovec io = { message, len };
	union control control = { .space = { 0 } };
	struct msghdr m = { .msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space) };
	ssize_t n = recvmsg(socket_fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n <= 0)
		return n < 0 ? -errno : ERR_EOF;
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(int)))
		return ERR_MALFORMED;
	memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	if (n == (ssize_t)len && !(m.msg_flags & MSG_TRUNC))
		return 0;
	close(*fd);
	return ERR_MALFORMED;
}
