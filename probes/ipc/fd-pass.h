/* SPDX-License-Identifier: ISC */
/* A message with a descriptor, over a local socket (SCM_RIGHTS). */
#pragma once

#include <stddef.h>

/* Sends without waiting; the caller keeps fd.  0 or a negative errno. */
int pass_send(int socket_fd, int fd, const void *message, size_t len);
/* Takes one message of exactly len bytes and its descriptor, which the caller
 * owns; ERR_EOF when the other end has closed, ERR_MALFORMED for anything else
 * that arrives. */
int pass_receive(int socket_fd, int *fd, void *message, size_t len);
