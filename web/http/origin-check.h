/* SPDX-License-Identifier: ISC */
/* Who may ask: the checks that come before any handler.  Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "web/http/request.h"

struct origin_rules {
	const char *const *host_names; /* beside addresses and localhost */
	size_t host_name_count;
	bool open_reads;
};

/* Is the Host header an address, localhost or a configured name?  A page of
 * another site that points its own name at us (DNS rebinding) is not. */
bool origin_check_host(const struct origin_rules *rules, const char *host);

/* For methods that change something: true unless the browser reports that a
 * page of another site makes the request. */
bool origin_check_same(const struct request *request);

/* Does the configuration let this peer read without a token? */
bool origin_check_reader(
    const struct origin_rules *rules, const struct request *request);
