/* SPDX-License-Identifier: ISC */
/* What the writers say about one reply, in the words that traceroute users
 * know. */
#pragma once

#include "lib/addr.h"
#include "lib/record.h"

/* An address field as text; "-" when it is empty. */
const char *reply_addr(
    const ProtobufCBinaryData *bytes, char to[static ADDR_TEXT_LEN]);

/* "!H", "!X", ... for an ICMP error that is not the expected end of a trace;
 * "" otherwise.  ipv6: which ICMP it is. */
const char *reply_mark(const Sonde__Reply *reply, bool ipv6);
