/* SPDX-License-Identifier: ISC */
/*
 * The IANA IPv4 and IPv6 special-purpose address registries (RFC 6890 and its
 * updates, as of 2025), the multicast blocks, and the IPv6 space that no
 * network has been given.  What a registry calls globally reachable is
 * SPECIAL_NONE; exceptions stand before the block they are in.  Stricter than
 * the registry: the anycast addresses in 192.0.0.0/24 reach only the prober's
 * own network.
 */
#include "lib/base/addr-special.h"

static const struct {
	uint32_t addr;
	uint8_t len;
	enum special what;
} rows4[] = {
	{ 0x00000000, 8, SPECIAL_NEVER },      /* 0.0.0.0, this network */
	{ 0x0a000000, 8, SPECIAL_PRIVATE },    /* 10.0.0.0 */
	{ 0x64400000, 10, SPECIAL_PRIVATE },   /* 100.64.0.0, shared */
	{ 0x7f000000, 8, SPECIAL_LOOPBACK },   /* 127.0.0.0 */
	{ 0xa9fe0000, 16, SPECIAL_PRIVATE },   /* 169.254.0.0, link-local */
	{ 0xac100000, 12, SPECIAL_PRIVATE },   /* 172.16.0.0 */
	{ 0xc0000000, 24, SPECIAL_OTHER },     /* 192.0.0.0, protocols */
	{ 0xc0000200, 24, SPECIAL_OTHER },     /* 192.0.2.0, documentation */
	{ 0xc0586300, 24, SPECIAL_OTHER },     /* 192.88.99.0, 6to4 relays */
	{ 0xc0a80000, 16, SPECIAL_PRIVATE },   /* 192.168.0.0 */
	{ 0xc6120000, 15, SPECIAL_OTHER },     /* 198.18.0.0, benchmarking */
	{ 0xc6336400, 24, SPECIAL_OTHER },     /* 198.51.100.0 */
	{ 0xcb007100, 24, SPECIAL_OTHER },     /* 203.0.113.0 */
	{ 0xe0000000, 4, SPECIAL_MULTICAST },  /* 224.0.0.0 */
	{ 0xffffffff, 32, SPECIAL_BROADCAST }, /* 255.255.255.255 */
	{ 0xf0000000, 4, SPECIAL_NEVER },      /* 240.0.0.0, reserved */
};

/* By the upper 64 bits; the few longer rows carry the lower ones too. */
static const struct {
	uint64_t high, low;
	uint8_t len;
	enum special what;
} rows6[] = {
	{ 0, 0, 128, SPECIAL_NEVER },                   /* :: */
	{ 0, 1, 128, SPECIAL_LOOPBACK },                /* ::1 */
	{ 0, 0, 96, SPECIAL_MAPPED },                   /* ::a.b.c.d */
	{ 0, 0xffff00000000, 96, SPECIAL_MAPPED },      /* ::ffff:a.b.c.d */
	{ 0x0064ff9b00000000, 0, 96, SPECIAL_NONE },    /* 64:ff9b::, NAT64 */
	{ 0x0064ff9b00010000, 0, 48, SPECIAL_PRIVATE }, /* local NAT64 */
	{ 0x2001000000000000, 0, 32, SPECIAL_NONE },    /* Teredo */
	{ 0x2001000100000000, 1, 128, SPECIAL_NONE },   /* PCP */
	{ 0x2001000100000000, 2, 128, SPECIAL_NONE },   /* TURN */
	{ 0x2001000100000000, 3, 128, SPECIAL_NONE },   /* DNS-SD */
	{ 0x2001000300000000, 0, 32, SPECIAL_NONE },    /* AMT */
	{ 0x2001000401120000, 0, 48, SPECIAL_NONE },    /* AS112 */
	{ 0x2001002000000000, 0, 28, SPECIAL_NONE },    /* ORCHIDv2 */
	{ 0x2001003000000000, 0, 28, SPECIAL_NONE },    /* DETs */
	{ 0x2001000000000000, 0, 23, SPECIAL_OTHER },   /* 2001::, protocols */
	{ 0x20010db800000000, 0, 32, SPECIAL_OTHER },   /* documentation */
	{ 0x3fff000000000000, 0, 20, SPECIAL_OTHER },   /* documentation */
	{ 0x2000000000000000, 0, 3, SPECIAL_NONE },     /* global unicast */
	{ 0xfc00000000000000, 0, 7, SPECIAL_PRIVATE },  /* unique local */
	{ 0xfe80000000000000, 0, 10, SPECIAL_PRIVATE }, /* link-local */
	{ 0xfec0000000000000, 0, 10, SPECIAL_PRIVATE }, /* site-local */
	{ 0xff00000000000000, 0, 8, SPECIAL_MULTICAST },
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static uint64_t load_be64(const uint8_t *bytes)
{
	uint64_t word = 0;
	for (int i = 0; i < 8; i++)
		word = word << 8 | bytes[i];
	return word;
}

/* Are the first len (at most 64) bits of two words the same? */
static bool same_bits(uint64_t a, uint64_t b, unsigned len)
{
	return len == 0 || (a ^ b) >> (64 - len) == 0;
}

static enum special special_of_v4(uint32_t a)
{
	for (size_t i = 0; i < COUNT(rows4); i++)
		if ((a ^ rows4[i].addr) >> (32 - rows4[i].len) == 0)
			return rows4[i].what;
	return SPECIAL_NONE;
}

enum special special_of(const struct addr *a)
{
	if (a->family == 4)
		return special_of_v4(addr_v4_value(a));
	uint64_t high = load_be64(a->bytes), low = load_be64(a->bytes + 8);
	for (size_t i = 0; i < COUNT(rows6); i++) {
		unsigned len = rows6[i].len;
		if (same_bits(high, rows6[i].high, len < 64 ? len : 64) &&
		    same_bits(low, rows6[i].low, len < 64 ? 0 : len - 64))
			return rows6[i].what;
	}
	return SPECIAL_OTHER;
}

/* RFC 8215 gives translators 64:ff9b:1::/48 and leaves the length of their
 * prefix open: RFC 6052 section 2.2 says where the address is for 48, 56, 64
 * and 96 bits, around an octet that is no part of it.  What can be no address
 * at all is none. */
static size_t embedded_local(const uint8_t *b, struct addr *embedded)
{
	const uint8_t forms[][4] = { { b[6], b[7], b[9], b[10] },
		{ b[7], b[9], b[10], b[11] }, { b[9], b[10], b[11], b[12] },
		{ b[12], b[13], b[14], b[15] } };
	size_t count = 0;
	for (size_t i = 0; i < 4; i++) {
		embedded[count] = addr_from_bytes(forms[i], 4);
		if (special_of(&embedded[count]) != SPECIAL_NEVER)
			count++;
	}
	return count;
}

size_t special_embedded(
    const struct addr *a, struct addr embedded[static SPECIAL_EMBEDDED])
{
	if (a->family != 6)
		return 0;
	size_t count = 0;
	uint64_t high = load_be64(a->bytes), low = load_be64(a->bytes + 8);
	uint64_t interface = low >> 32;
	if (high >> 48 == 0x2002) /* 6to4, RFC 3056 */
		embedded[count++] = addr_v4((uint32_t)(high >> 16));
	if (high >> 32 == 0x20010000) { /* Teredo, RFC 4380: server, client */
		embedded[count++] = addr_v4((uint32_t)high);
		embedded[count++] = addr_v4(~(uint32_t)low);
	} else if (interface == 0x00005efe || interface == 0x02005efe) {
		embedded[count++] = addr_v4((uint32_t)low); /* RFC 5214 */
	}
	if (high >> 16 == 0x0064ff9b0001)
		count += embedded_local(a->bytes, embedded + count);
	bool nat64 =
	    high == 0x0064ff9b00000000 && interface == 0;       /* RFC 6052 */
	bool translated = high == 0 && interface == 0xffff0000; /* SIIT */
	if (nat64 || translated)
		embedded[count++] = addr_v4((uint32_t)low);
	return count;
}
