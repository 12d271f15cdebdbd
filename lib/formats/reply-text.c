/* SPDX-License-Identifier: ISC */
/* The words of ICMP errors. */
#include <stdio.h>

#include "lib/formats/reply-text.h"

const char *reply_addr(
    const ProtobufCBinaryData *bytes, char to[static ADDR_TEXT_LEN])
{
	struct addr a = addr_from_bytes(bytes->data, bytes->len);
	return addr_text(&a, to);
}

/* RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1. */
static const char *const codes_v4[] = { "network unreachable",
	"host unreachable", "protocol unreachable", "port unreachable",
	"too big to pass unfragmented", "source route failed",
	"network unknown", "host unknown", "source host isolated",
	"network prohibited", "host prohibited",
	"network unreachable for this type of service",
	"host unreachable for this type of service",
	"administratively prohibited", "host precedence violation",
	"precedence cutoff" };
/* RFC 4443 section 3.1. */
static const char *const codes_v6[] = { "no route",
	"administratively prohibited", "beyond the scope of the source",
	"address unreachable", "port unreachable",
	"source address failed policy", "route rejected" };

const char *reply_error(const Sonde__Reply *r, char to[static 40])
{
	bool six = r->from.len == 16;
	if (!r->has_icmp_type_case || r->icmp_type == (six ? 129u : 0u))
		return "";
	if (r->icmp_type == (six ? 3u : 11u))
		return r->icmp_code == 0 ? "time to live exceeded"
					 : "reassembly time exceeded";
	if (six && r->icmp_type == 2)
		return "too big to pass";
	size_t count = six ? sizeof(codes_v6) / sizeof(*codes_v6)
			   : sizeof(codes_v4) / sizeof(*codes_v4);
	if (r->icmp_type == (six ? 1u : 3u) && r->icmp_code < count)
		return (six ? codes_v6 : codes_v4)[r->icmp_code];
	if (!six && (r->icmp_type == 4 || r->icmp_type == 5))
		return r->icmp_type == 4 ? "source quench" : "redirect";
	snprintf(to, 40, "ICMP type %u code %u", r->icmp_type, r->icmp_code);
	return to;
}

const char *reply_not_sent(const Sonde__Reply *reply)
{
	if (*reply->denied)
		return reply->denied;
	if (*reply->error)
		return reply->error;
	return reply->tx_wall_ns || reply->from.len ? NULL : "not sent";
}
