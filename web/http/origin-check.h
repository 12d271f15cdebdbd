/* SPDX-License-Identifier: ISC */
/* Who may ask: the checks that come before any handler.  Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "web/http/request.h"

struct guard {
	const char *const *host_names; /* beside addresses and localhost */
	size_t host_name_count;
	bool open_reads;
};

/* Is the Host header an address, localhost or a name of ours?  A page of
 * another site that points its own name at us (DNS rebinding) is not. */
bool guard_host(const struct guard *guard, const char *host);

/* For methods that change something: true unless the browser says that a page
 * of another site makes the request. */
bool guard_same_origin(const struct request *request);

/* Does the configuration let this peer read without a token? */
bool guard_may_read(const struct guard *guard, const struct request *request);
