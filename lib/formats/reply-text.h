/* SPDX-License-Identifier: ISC */
/* What the formats print of one reply, in the words that traceroute users
 * know. */
#pragma once

#include <stdbool.h>

#include "lib/base/addr.h"
#include "lib/record/record.h"

/* An address field as text; "-" when it is empty. */
const char *reply_addr(
    const ProtobufCBinaryData *bytes, char to[static ADDR_TEXT_LEN]);

/* "!H", "!X", ... for an ICMP error that is not the expected end of a trace;
 * "" otherwise.  ipv6: which ICMP it is. */
const char *reply_mark(const Sonde__Reply *reply, bool ipv6);

/* Does it say that the host is there?  What a probe of this method ("icmp",
 * "udp", "tcp") gets from a host that is up, not what a router says of it. */
bool reply_is_answer(const Sonde__Reply *reply, const char *method);

/* Why it was never sent: the policy's reason, or that the system could not;
 * NULL when it was. */
const char *reply_not_sent(const Sonde__Reply *reply);
