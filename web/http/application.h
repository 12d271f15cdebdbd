/* SPDX-License-Identifier: ISC */
/*
 * What the server knows of the program behind it: its routes, who asks, when
 * it cannot answer at all.  Everything here may be called from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"

struct asset;
struct principal; /* the application's own; the server only carries it */
struct request;
struct route;

enum scope {        /* each holds those before it */
	SCOPE_OPEN, /* everybody; the handler knows better if need be */
	SCOPE_READ, /* loopback, a token, or open-reads */
	SCOPE_WRITE /* a token */
};

struct caller {
	const struct principal *principal; /* lives as long as the server */
	enum scope scope;                  /* the widest that is granted */
};

struct application {
	void *ctx;
	size_t route_count;
	const struct route *(*route_at)(size_t index);
	const struct asset *pages; /* for all paths that are no route */
	/* Who sent this request, by its token; is_reader: the configuration
	 * lets this peer read without one. */
	struct caller (*identify)(
	    void *ctx, const struct request *request, bool is_reader);
	/* True when no retry will help; *why says what an operator must do. */
	bool (*fault)(void *ctx, struct errmsg *why);
	void (*tick)(void *ctx, struct monotime now); /* once a second */
};
