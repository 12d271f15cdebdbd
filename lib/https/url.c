/* SPDX-License-Identifier: ISC */
/* One pass from scheme to port; what is left over makes it wrong. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/https/url.h"

#define DIGITS "0123456789"
#define NAME_BYTES                   \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS ".-_"
#define LITERAL_BYTES "abcdefABCDEF" DIGITS ":."

static const char *take_scheme(struct url *url, const char *at)
{
	url->https = strncasecmp(at, "https://", 8) == 0;
	if (!url->https && strncasecmp(at, "http://", 7) != 0)
		return NULL;
	url->port = url->https ? 443 : 80;
	return at + (url->https ? 8 : 7);
}

static const char *take_host(struct url *url, const char *at)
{
	bool literal = *at == '[';
	size_t len = literal ? 1 + strspn(at + 1, LITERAL_BYTES)
			     : strspn(at, NAME_BYTES);
	if (literal && at[len++] != ']')
		return NULL;
	if (len == 0 || len >= sizeof(url->host))
		return NULL;
	memcpy(url->host, at, len);
	url->host[len] = '\0';
	struct addr addr;
	return literal && !url_address(url, &addr) ? NULL : at + len;
}

static const char *take_port(struct url *url, const char *at)
{
	if (*at != ':')
		return at;
	size_t len = strspn(++at, DIGITS);
	uint32_t port = 0;
	for (size_t i = 0; i < len && i < 5; i++)
		port = port * 10 + (uint32_t)(at[i] - '0');
	if (len == 0 || len > 5 || port == 0 || port > UINT16_MAX)
		return NULL;
	url->port = (uint16_t)port;
	return at + len;
}

int url_split(struct url *url, const char *text)
{
	memset(url, 0, sizeof(*url));
	const char *at = take_scheme(url, text);
	if (at)
		at = take_host(url, at);
	if (at)
		at = take_port(url, at);
	if (at && *at == '/')
		at++;
	return at && !*at ? 0 : ERR_MALFORMED;
}

bool url_address(const struct url *url, struct addr *addr)
{
	char bare[URL_HOST_LEN];
	size_t len = strlen(url->host);
	if (url->host[0] != '[')
		return addr_parse(addr, url->host) == 0;
	snprintf(bare, sizeof(bare), "%.*s", (int)len - 2, url->host + 1);
	return addr_parse(addr, bare) == 0 && addr->family == 6;
}

static bool is_loopback(const struct url *url)
{
	static const uint8_t one[16] = { [15] = 1 };
	struct addr a;
	if (strcasecmp(url->host, "localhost") == 0)
		return true;
	if (!url_address(url, &a))
		return false;
	return a.family == 4 ? a.bytes[0] == 127
			     : memcmp(a.bytes, one, sizeof(one)) == 0;
}

int url_check(const char *text, struct errmsg *msg)
{
	struct url url;
	if (url_split(&url, text) != 0)
		return err_set(msg, ERR_CONFIG,
		    "collector: expected https://HOST[:PORT] (http:// on this "
		    "machine), got '%.80s'",
		    text);
	if (!url.https && !is_loopback(&url))
		return err_set(msg, ERR_CONFIG,
		    "collector: '%.80s': plain HTTP goes to this machine only; "
		    "use https://",
		    text);
	return 0;
}

uint16_t url_port(const char *text)
{
	struct url url;
	return url_split(&url, text) == 0 ? url.port : 0;
}
