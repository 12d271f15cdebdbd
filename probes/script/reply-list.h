/* SPDX-License-Identifier: ISC */
/* Results as the replies of a record. */
#pragma once

#include "probes/script/script-api.h"

struct reply_list {
	size_t count, size; /* replies, and room for them */
	Sonde__Reply **replies;
	Sonde__Reply **remarks; /* as in the record */
	size_t remark_count;
	size_t
	    more_count; /* replies that are no outcomes: duplicates, remarks */
	const struct probe *first; /* of the first result */
	struct addr src;           /* where its packet left from */
	struct addr next_hop;      /* and by which way */
	const char *device;        /* borrowed of a result; or empty */
	uint32_t attempts[256];    /* so far, by TTL */
	uint32_t number;           /* of the result at hand, from 1 */
	/* Probes by outcome: received are those that the target answered within
	 * the wait, sent all but those that were not sent or denied. */
	uint32_t sent, received, not_sent, denied, late, rejected,
	    other_address, ambiguous;
	uint64_t rtt_min_ns, rtt_max_ns, rtt_sum_ns; /* of those received */
	const char *error; /* of the first that was not sent; scratch */
	/* Of the caller: each hop has its share, so that results may be more
	 * than a record takes. */
	bool shares;
	uint32_t left_out; /* results for which no share had room */
	struct reply_share {
		uint32_t answered, silent; /* results, that there is room for */
	} room[256];                       /* by TTL */
};

/* Reads the list of results `probes` of the table at 1 into a list that is
 * otherwise zeros; a Lua error if there is none.  What it found stays on the
 * stack of the call, so that it lives until the record is packed. */
void reply_list_read(lua_State *L, struct reply_list *list);

/* Borrowed. */
ProtobufCBinaryData octets_of(const struct addr *a);
