/* SPDX-License-Identifier: ISC */
/* What handlers ask of a request. */

#include "web/http/request.h"

#include <string.h>
#include <strings.h>

const char *const header_names[HEADERS] = {
	[HEADER_ACCEPT] = "Accept",
	[HEADER_ACCEPT_ENCODING] = "Accept-Encoding",
	[HEADER_AUTHORIZATION] = "Authorization",
	[HEADER_CONTENT_LENGTH] = "Content-Length",
	[HEADER_CONTENT_TYPE] = "Content-Type",
	[HEADER_FETCH_SITE] = "Sec-Fetch-Site",
	[HEADER_HOST] = "Host",
	[HEADER_IF_NONE_MATCH] = "If-None-Match",
	[HEADER_LAST_EVENT_ID] = "Last-Event-ID",
	[HEADER_ORIGIN] = "Origin",
	[HEADER_SONDE_AGENT] = "Sonde-Agent",
	[HEADER_SONDE_SIGNATURE] = "Sonde-Signature",
	[HEADER_SONDE_TIME] = "Sonde-Time",
	[HEADER_TRANSFER_ENCODING] = "Transfer-Encoding",
};

bool request_is_loopback(const struct request *request)
{
	static const uint8_t v6[16] = { [15] = 1 };
	const struct addr *peer = &request->peer;
	if (peer->family == 6)
		return memcmp(peer->bytes, v6, sizeof(v6)) == 0;
	return peer->family == 4 && peer->bytes[0] == 127;
}

const char *request_bearer(const struct request *request)
{
	const char *text = request->headers[HEADER_AUTHORIZATION];
	if (!text || strncasecmp(text, "Bearer ", 7) != 0)
		return NULL;
	return text + 7 + strspn(text + 7, " ");
}

bool request_accepts(const struct request *request, const char *type)
{
	const char *p = request->headers[HEADER_ACCEPT];
	size_t len = strlen(type);
	while (p && *p) {
		p += strspn(p, " \t,");
		if (strncasecmp(p, type, len) == 0 && strchr(" \t,;", p[len]))
			return true;
		p += strcspn(p, ",");
	}
	return false;
}

bool request_takes_gzip(const struct request *request)
{
	const char *p = request->headers[HEADER_ACCEPT_ENCODING];
	for (; p && *p; p += strcspn(p, ",")) {
		p += strspn(p, " \t,");
		if (strncasecmp(p, "gzip", 4) != 0)
			continue;
		const char *rest = p + 4 + strspn(p + 4, " \t");
		return strncmp(rest, ";q=0", 4) != 0 || rest[4] == '.';
	}
	return false;
}
