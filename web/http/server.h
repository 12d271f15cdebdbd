/* SPDX-License-Identifier: ISC */
/*
 * The HTTP face of the collector: API, event stream and pages.  collector/
 * main.c starts it after the collector and stops it before.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/option/config.h"
#include "lib/base/err.h"

struct collector;
struct web;

/* Rows for the collector's own option and configuration table. */
/* clang-format off: a table */
#define WEB_OPTION_ROWS                                                        \
	{ .name = "listen",                                                    \
		.letter = 'l',                                                 \
		.type = OPTION_LIST,                                           \
		.argument = "ADDRESS:PORT",                                    \
		.help =                                                        \
		    "serve here, with http:// or https:// before it; plain "   \
		    "HTTP on loopback only (default 127.0.0.1:8470)" },        \
	    { .name = "tls-cert",                                              \
		    .type = OPTION_TEXT,                                       \
		    .argument = "FILE",                                        \
		    .help =                                                    \
			"certificate chain in PEM, the server's own first" },  \
	    { .name = "tls-key",                                               \
		    .type = OPTION_TEXT,                                       \
		    .argument = "FILE",                                        \
		    .help = "private key in PEM" },                            \
	    { .name = "host-name",                                             \
		    .type = OPTION_LIST,                                       \
		    .argument = "NAME",                                        \
		    .help = "a name that requests may call this server by" },  \
	    { .name = "open-reads",                                            \
		    .type = OPTION_FLAG,                                       \
		    .help =                                                    \
			"let everybody read; without it only loopback reads "  \
			"without a token" },                                   \
	    { .name = "web-root",                                              \
		    .type = OPTION_TEXT,                                       \
		    .argument = "DIR",                                         \
		    .help =                                                    \
			"serve the pages from here, not from the program" },   \
	    { .name = "connections-per-client",                                \
		    .type = OPTION_INTEGER,                                    \
		    .argument = "N",                                           \
		    .min = 1,                                                  \
		    .max = 65536,                                              \
		    .fallback = "64",                                          \
		    .help =                                                    \
			"connections that one address or IPv6 /64 may hold" }, \
	{                                                                      \
		.name = "requests-per-second", .type = OPTION_INTEGER,         \
		.argument = "N", .min = 1, .max = 1000000, .fallback = "500",  \
		.help = "requests that one address or IPv6 /64 may make"       \
	}
/* clang-format on */

struct web_config {
	const char *const *listen; /* "[http[s]://]ADDRESS:PORT"; port 0: any */
	size_t listen_count;       /* 0: 127.0.0.1:8470 */
	const char *tls_cert, *tls_key; /* PEM files; NULL: no TLS */
	const char *const *host_names;  /* beside addresses and localhost */
	size_t host_name_count;
	bool open_reads;
	const char *web_root; /* NULL: the pages in the program */
	uint32_t connections_per_client, requests_per_second;
};

/* Borrows its texts from config, whose rows hold WEB_OPTION_ROWS. */
void web_config_read(struct web_config *web, const struct config *config);

/* What web_start would refuse before it listens; the error names file and
 * line. */
int web_config_check(const struct config *config, struct errmsg *msg);

/* Listens and serves until web_stop.  ERR_CONFIG names the key that is wrong,
 * as plain HTTP off loopback; -EADDRINUSE names the address. */
int web_start(struct web **web, const struct web_config *config,
    struct collector *collector, struct errmsg *msg);

/* Ends every event stream and long poll, waits for answers under way. */
void web_stop(struct web *web);

/* "http://127.0.0.1:8470" of the index'th listener, with the real port; NULL
 * past the last.  Borrowed until web_stop. */
const char *web_url(const struct web *web, size_t index);
