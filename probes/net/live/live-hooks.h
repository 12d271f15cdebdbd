/* SPDX-License-Identifier: ISC */
/*
 * Does a packet filter or an address translator look at what this host sends?
 * A packet socket goes past these, so where there may be one it is not used.
 * Asked once, while that is allowed; later any change of nftables counts as
 * one, since what it changed cannot be asked any more, and so does a table of
 * iptables as it was before nftables, which tells of none: its list is read
 * again.  Where the kernel had no such list, because it loads iptables when it
 * is first used, there is nothing to read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct live_hooks {
	int fd;        /* of nfnetlink's news; -1: none */
	int tables[2]; /* IPv4's, IPv6's list of tables; -1: none */
	bool possible;
};

#define LIVE_HOOKS_CLOSED \
	((struct live_hooks){ .fd = -1, .tables = { -1, -1 } })

void live_hooks_open(struct live_hooks *hooks);
void live_hooks_close(struct live_hooks *hooks);
/* As far as is known now; reads the kernel's news. */
bool live_hooks_possible(struct live_hooks *hooks);
/* Reads the lists of tables; for now and then. */
void live_hooks_look(struct live_hooks *hooks);

/* Of an answer to the question for chains: is one of those that see packets
 * which leave?  *end: 1 the list has ended, negative it could not be had.
 * Pure; no length is believed. */
bool live_hooks_read(const uint8_t *bytes, size_t len, int *end);
