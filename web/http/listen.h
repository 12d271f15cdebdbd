/* SPDX-License-Identifier: ISC */
/* Where the server listens, and by which certificate. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/err.h"

struct listen_at {
	struct addr addr;
	uint16_t port;
	bool tls;
};

/* "[http[s]://]ADDRESS:PORT", IPv6 in brackets.  Without a scheme it is http
 * on loopback and https elsewhere; http elsewhere is ERR_CONFIG. */
int listen_parse(struct listen_at *at, const char *text, struct errmsg *msg);

/* A listening socket; at->port becomes the real one. */
int listen_open(int *fd, struct listen_at *at, struct errmsg *msg);

/* "https://[::1]:8470" */
void listen_url(const struct listen_at *at, char to[static 80]);

/* Certificate chain and key as PEM, tried together.  The caller frees. */
struct listen_tls {
	char *cert, *key;
};
int listen_load_tls(struct listen_tls *tls, const char *cert_path,
    const char *key_path, struct errmsg *msg);
void listen_free_tls(struct listen_tls *tls);
