/* SPDX-License-Identifier: ISC */
/*
 * The collector's URL, https://HOST[:PORT], taken apart and judged.  Strict,
 * and without libcurl, so that who only checks a config needs no TLS library;
 * what passes here means the same to libcurl.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/err.h"

#define URL_HOST_LEN 254
#define URL_MAX_LEN 280 /* of any that is taken, with its end */

struct url {
	bool https;
	char host[URL_HOST_LEN]; /* an IPv6 literal in its brackets */
	uint16_t port;           /* the scheme's if not given */
};

/* ERR_MALFORMED for anything but http or https, a host, a port. */
int url_split(struct url *url, const char *text);
/* Is the host an address, and which? */
bool url_address(const struct url *url, struct addr *addr);
/* May an agent use it?  https, or http to this machine; ERR_CONFIG and the
 * reason if not. */
int url_check(const char *text, struct errmsg *msg);
/* The port it goes to; 0 for what is no URL. */
uint16_t url_port(const char *text);
