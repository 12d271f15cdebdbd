/* SPDX-License-Identifier: ISC */
/* Addresses as bytes: text both ways, prefixes by comparing leading bits. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/addr.h"

int addr_cmp(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

struct addr addr_v4(uint32_t host_order)
{
	uint32_t n = htonl(host_order);
	return addr_from_bytes(&n, 4);
}

uint32_t addr_v4_value(const struct addr *a)
{
	uint32_t n;
	memcpy(&n, a->bytes, 4);
	return ntohl(n);
}

struct addr addr_from_bytes(const void *bytes, size_t len)
{
	struct addr a = { 0 };
	if (len != 4 && len != 16)
		return a;
	a.family = len == 4 ? 4 : 6;
	memcpy(a.bytes, bytes, len);
	return a;
}

int addr_parse(struct addr *a, const char *text)
{
	struct addr got = { 0 };
	if (inet_pton(AF_INET, text, got.bytes) == 1)
		got.family = 4;
	else if (inet_pton(AF_INET6, text, got.bytes) == 1)
		got.family = 6;
	else
		return ERR_MALFORMED;
	*a = got;
	return 0;
}

bool addr_is_link_local(const struct addr *a)
{
	return a->family == 6 && a->bytes[0] == 0xfe &&
	    (a->bytes[1] & 0xc0) == 0x80;
}

int addr_parse_zone(
    struct addr *a, char zone[static ADDR_ZONE_LEN], const char *text)
{
	char number[ADDR_TEXT_LEN];
	size_t len = strcspn(text, "%");
	memset(zone, 0, ADDR_ZONE_LEN);
	if (text[len] == '\0')
		return addr_parse(a, text);
	size_t zone_len = strlen(text + len + 1);
	if (len >= sizeof(number) || zone_len == 0 || zone_len >= ADDR_ZONE_LEN)
		return ERR_MALFORMED;
	memcpy(number, text, len);
	number[len] = '\0';
	struct addr got;
	if (addr_parse(&got, number) != 0 || !addr_is_link_local(&got))
		return ERR_MALFORMED;
	memcpy(zone, text + len + 1, zone_len);
	*a = got;
	return 0;
}

/* inet_ntop prints, which costs twenty times as much. */
static void text_v4(const uint8_t bytes[static 4], char *to)
{
	for (size_t i = 0; i < 4; i++) {
		unsigned n = bytes[i];
		if (n >= 100)
			*to++ = (char)('0' + n / 100);
		if (n >= 10)
			*to++ = (char)('0' + n / 10 % 10);
		*to++ = (char)('0' + n % 10);
		*to++ = i < 3 ? '.' : '\0';
	}
}

const char *addr_text(const struct addr *a, char to[static ADDR_TEXT_LEN])
{
	if (a->family == 4)
		text_v4(a->bytes, to);
	else if (a->family == 0 ||
	    !inet_ntop(AF_INET6, a->bytes, to, ADDR_TEXT_LEN))
		snprintf(to, ADDR_TEXT_LEN, "-");
	return to;
}

struct prefix prefix_of(const struct addr *a, unsigned len)
{
	struct prefix p = { *a, (uint8_t)len };
	if (len > addr_bits(a))
		BUG("prefix length %u", len);
	for (size_t i = 0; i < addr_len(a); i++) {
		unsigned keep = len > i * 8 ? len - (unsigned)i * 8 : 0;
		if (keep < 8)
			p.addr.bytes[i] &= (uint8_t)(0xff00u >> keep);
	}
	return p;
}

int prefix_parse(struct prefix *p, const char *text, struct errmsg *msg)
{
	char copy[PREFIX_TEXT_LEN];
	size_t text_len = strlen(text);
	if (text_len >= sizeof(copy))
		return err_set(msg, ERR_MALFORMED,
		    "'%.60s': too long for a "
		    "prefix",
		    text);
	memcpy(copy, text, text_len + 1);
	char *slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	struct addr a;
	if (addr_parse(&a, copy) != 0)
		return err_set(msg, ERR_MALFORMED,
		    "expected an address or prefix such as 192.0.2.0/24, "
		    "got '%s'",
		    text);
	unsigned long len = addr_bits(&a);
	if (slash) {
		char *end;
		len = strtoul(slash, &end, 10);
		if (*slash < '0' || *slash > '9' || *end || len > addr_bits(&a))
			return err_set(msg, ERR_MALFORMED,
			    "'%s': prefix "
			    "length, expected 0 to %u",
			    text, addr_bits(&a));
	}
	*p = prefix_of(&a, (unsigned)len);
	if (!addr_equal(&p->addr, &a)) {
		char want[PREFIX_TEXT_LEN];
		return err_set(msg, ERR_MALFORMED,
		    "'%s': host bits are set, "
		    "expected %s",
		    text, prefix_text(p, want));
	}
	return 0;
}

const char *prefix_text(const struct prefix *p, char to[static PREFIX_TEXT_LEN])
{
	char a[ADDR_TEXT_LEN];
	snprintf(to, PREFIX_TEXT_LEN, "%s/%u", addr_text(&p->addr, a), p->len);
	return to;
}

bool prefix_has(const struct prefix *p, const struct addr *a)
{
	if (p->addr.family != a->family)
		return false;
	struct prefix around = prefix_of(a, p->len);
	return addr_equal(&around.addr, &p->addr);
}

uint64_t addr_hash(const struct addr *a, uint64_t key)
{
	uint64_t words[2];
	memcpy(words, a->bytes, sizeof(words));
	return hash_finish(hash_finish(words[0] ^ key) ^ words[1] ^ a->family);
}
