/* SPDX-License-Identifier: ISC */
/* The server's configuration: its keys, and what they are checked for. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/option/config-file.h"

enum { SERVER_LISTENERS_MAX = 16 };

/* Rows for the collector's own option and configuration table. */
/* clang-format off: a table */
#define SERVER_OPTION_ROWS                                                     \
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

struct server_config {
	const char *const *listen; /* "[http[s]://]ADDRESS:PORT"; port 0: any */
	size_t listen_count;       /* 0: 127.0.0.1:8470 */
	const char *tls_cert, *tls_key; /* PEM files; NULL: no TLS */
	const char *const *host_names;  /* beside addresses and localhost */
	size_t host_name_count;
	bool open_reads;
	const char *web_root; /* NULL: the pages in the program */
	uint32_t connections_per_client, requests_per_second;
};

/* Borrows its texts from config, whose rows hold SERVER_OPTION_ROWS. */
void server_config_read(
    struct server_config *server, const struct config *config);

/* What server_start would refuse before it listens; the error names file and
 * line. */
int server_config_check(const struct config *config, struct errmsg *msg);
