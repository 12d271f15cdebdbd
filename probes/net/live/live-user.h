/* SPDX-License-Identifier: ISC */
/*
 * The user whom this host's rules see in what leaves (`ip rule ... uidrange`).
 * To the kernel that is the socket's, at first whoever made it (sk_uid; what
 * fchown(2) writes, sockfs_setattr in net/socket.c), while a route is asked for
 * on behalf of whoever asks (inet_rtm_getroute in net/ipv4/route.c).  Root
 * opens the network and another asks: so the sockets are given to that one.
 * RTA_UID alone would not do: it is read in the asker's user namespace, which
 * maps nobody.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Whom this process becomes when it has opened its networks, if it is root; 0:
 * nobody, as without this call. */
void live_user_becomes(uint32_t uid);

/* Gives a socket that sends to that user; where CAP_CHOWN lacks it stays whose
 * it is. */
void live_user_give(int fd);

/* Is the socket another's than that user's?  *uid: whose. */
bool live_user_differs(int fd, uint32_t *uid);
