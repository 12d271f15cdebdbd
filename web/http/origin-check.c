/* SPDX-License-Identifier: ISC */
/* The checks that stand between another site's web page and this server. */

#include "web/http/origin-check.h"

#include <string.h>
#include <strings.h>

/* Copies the host without its port; brackets of IPv6 are dropped. */
static bool split_host(char to[static 256], const char *host)
{
	size_t len;
	const char *rest;
	if (*host == '[') {
		host++;
		len = strcspn(host, "]");
		rest = host + len;
		if (*rest++ != ']')
			return false;
	} else {
		len = strcspn(host, ":");
		rest = host + len;
	}
	if (len == 0 || len > 255)
		return false;
	if (*rest == ':' && strspn(rest + 1, "0123456789") != strlen(rest + 1))
		return false;
	if (*rest && *rest != ':')
		return false;
	memcpy(to, host, len);
	to[len] = 0;
	return true;
}

bool origin_check_host(const struct origin_rules *rules, const char *host)
{
	char name[256];
	struct addr addr;
	if (!host || !split_host(name, host))
		return false;
	if (addr_parse(&addr, name) == 0)
		return (addr.family == 6) == (*host == '[');
	if (*host == '[')
		return false;
	if (strcasecmp(name, "localhost") == 0)
		return true;
	for (size_t i = 0; i < rules->host_name_count; i++)
		if (strcasecmp(name, rules->host_names[i]) == 0)
			return true;
	return false;
}

bool origin_check_same(const struct request *request)
{
	const char *site = request->headers[HEADER_FETCH_SITE];
	if (site && strcmp(site, "same-origin") != 0 &&
	    strcmp(site, "none") != 0)
		return false;
	const char *origin = request->headers[HEADER_ORIGIN];
	if (!origin)
		return true;
	const char *scheme = request->tls ? "https://" : "http://";
	const char *host = request->headers[HEADER_HOST];
	return strncmp(origin, scheme, strlen(scheme)) == 0 && host &&
	    strcasecmp(origin + strlen(scheme), host) == 0;
}

bool origin_check_reader(
    const struct origin_rules *rules, const struct request *request)
{
	return rules->open_reads || request_is_loopback(request);
}
