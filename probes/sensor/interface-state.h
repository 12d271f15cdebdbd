/* SPDX-License-Identifier: ISC */
/*
 * What a sensor knows of one interface that it is to watch, and what follows
 * from it.  Pure: news of the kernel in, one step at a time out.  An interface
 * is known by its name: one that gets another name is gone, one that takes the
 * name is it.
 *
 *            the name appears             link comes up, a socket listens
 *   ABSENT ------------------> DOWN <-----------------------------------> UP
 *      ^                        |             link goes down              |
 *      +------------------------+-----------------------------------------+
 *                  removed, renamed, or made again
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "probes/net/live/netlink.h"

enum interface_state { INTERFACE_ABSENT, INTERFACE_DOWN, INTERFACE_UP };

struct interface_facts {
	char name[NET_DEVICE_LEN]; /* never changes */
	bool all;                  /* no interface but all of them */
	uint32_t index;            /* 0: there is none of this name */
	uint16_t type;             /* ARPHRD_* */
	bool is_up, has_carrier;
	uint32_t listening; /* the index that a socket listens at; 0: none */
	bool listed;        /* in the list that is being read */
};

/* "any" stands for all.  ERR_LIMIT: no interface has such a name. */
int interface_begin(struct interface_facts *facts, const char *name);
/* One link of the kernel's list or news: is it about this interface? */
bool interface_link(
    struct interface_facts *facts, const struct netlink_link *link);
/* Around a whole list: what it lacks is gone. */
void interface_list_begin(struct interface_facts *facts);
void interface_list_end(struct interface_facts *facts);

enum interface_step {
	INTERFACE_STAY,
	INTERFACE_LEAVE, /* what is listened at is not it any more */
	INTERFACE_LISTEN /* at its index, then say so */
};
enum interface_step interface_next(const struct interface_facts *facts);
void interface_listens(struct interface_facts *facts, bool listens);

enum interface_state interface_state_of(const struct interface_facts *facts);
/* Why it is not watched, in words; "": it is. */
const char *interface_why(const struct interface_facts *facts);
