/* SPDX-License-Identifier: ISC */
/* Internet addresses and prefixes, IPv4 and IPv6, in network order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/err.h"

struct addr {
	uint8_t family;    /* 4, 6, or 0 for none */
	uint8_t bytes[16]; /* network order; IPv4 in the first four, rest 0 */
};

struct prefix {
	struct addr addr; /* host bits are zero */
	uint8_t len;      /* 0..32 or 0..128 */
};

#define ADDR_TEXT_LEN 46 /* with the terminator */
#define PREFIX_TEXT_LEN 50

static inline size_t addr_len(const struct addr *a)
{
	return a->family == 4 ? 4 : a->family == 6 ? 16 : 0;
}

static inline unsigned addr_bits(const struct addr *a)
{
	return (unsigned)addr_len(a) * 8;
}

static inline bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family &&
	    memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* Orders IPv4 before IPv6, then by value. */
int addr_cmp(const struct addr *a, const struct addr *b);

struct addr addr_v4(uint32_t host_order);
uint32_t addr_v4_value(const struct addr *a); /* host order; v4 only */

/* From 4 or 16 network-order bytes; any other length gives family 0. */
struct addr addr_from_bytes(const void *bytes, size_t len);

/* Numeric text only, no names; ERR_MALFORMED otherwise. */
int addr_parse(struct addr *a, const char *text);
/* The same, or with the device that a link-local one is behind: "fe80::1%eth0".
 * zone is empty without. */
#define ADDR_ZONE_LEN 16 /* with the terminator */
int addr_parse_zone(
    struct addr *a, char zone[static ADDR_ZONE_LEN], const char *text);
/* Of fe80::/10: each link has them all. */
bool addr_is_link_local(const struct addr *a);
/* Writes to `to` (ADDR_TEXT_LEN) and returns it; RFC 5952 for IPv6. */
const char *addr_text(const struct addr *a, char to[static ADDR_TEXT_LEN]);

/* "192.0.2.0/24", "2001:db8::/32" or a bare address (full length).  Host bits
 * that are set are an error: the writer meant something else. */
int prefix_parse(struct prefix *p, const char *text, struct errmsg *msg);
const char *prefix_text(
    const struct prefix *p, char to[static PREFIX_TEXT_LEN]);
bool prefix_has(const struct prefix *p, const struct addr *a);
/* The prefix of this length around an address. */
struct prefix prefix_of(const struct addr *a, unsigned len);

/* A hash for tables that an outsider may try to fill: keyed, so collisions
 * cannot be prepared.  key: any 64 secret bits. */
uint64_t addr_hash(const struct addr *a, uint64_t key);
