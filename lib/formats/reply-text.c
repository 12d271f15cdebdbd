/* SPDX-License-Identifier: ISC */
/* The marks of unreachable messages, RFC 792 and RFC 4443. */
#include <string.h>

#include "lib/formats/reply-text.h"

const char *reply_addr(
    const ProtobufCBinaryData *bytes, char to[static ADDR_TEXT_LEN])
{
	struct addr a = addr_from_bytes(bytes->data, bytes->len);
	return addr_text(&a, to);
}

static const char *const unreachable_v4[] = { "!N", "!H", "!P", "", "!F", "!S",
	"!U", "!W", "!I", "!A", "!Z", "!Q", "!T", "!X", "!V", "!C" };
static const char *const unreachable_v6[] = { "!N", "!X", "!S", "!H", "", "!G",
	"!R" };

const char *reply_mark(const Sonde__Reply *reply, bool ipv6)
{
	const char *const *marks = ipv6 ? unreachable_v6 : unreachable_v4;
	size_t count = ipv6 ? sizeof(unreachable_v6) / sizeof(*marks)
			    : sizeof(unreachable_v4) / sizeof(*marks);
	if (reply->from.len == 0 || reply->icmp_type != (ipv6 ? 1 : 3))
		return "";
	return reply->icmp_code < count ? marks[reply->icmp_code] : "!?";
}

bool reply_is_answer(const Sonde__Reply *reply, const char *method)
{
	bool six = reply->from.len == 16;
	if (reply->from.len == 0)
		return false;
	if (strcmp(method, "tcp") == 0)
		return reply->tcp_flags != 0;
	if (strcmp(method, "icmp") == 0)
		return reply->icmp_type == (six ? 129u : 0u);
	return reply->icmp_type == (six ? 1u : 3u) &&
	    reply->icmp_code == (six ? 4u : 3u);
}

const char *reply_not_sent(const Sonde__Reply *reply)
{
	if (*reply->denied)
		return reply->denied;
	return reply->tx_wall_ns || reply->from.len ? NULL : "not sent";
}
