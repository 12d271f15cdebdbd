/* SPDX-License-Identifier: ISC */
/* What the formats print of one reply, in the words that traceroute users
 * know. */
#pragma once

#include <stdbool.h>

#include "lib/base/addr.h"
#include "lib/record/outcome.h"

/* An address field as text; "-" when it is empty. */
const char *reply_addr(
    const ProtobufCBinaryData *bytes, char to[static ADDR_TEXT_LEN]);

/* What an ICMP error says, in the words of its RFC: "port unreachable"; to is
 * used for what has no name.  "" for what is no error. */
const char *reply_error(const Sonde__Reply *reply, char to[static 40]);

/* Why it was never sent: the policy's reason, or that the system could not;
 * NULL when it was. */
const char *reply_not_sent(const Sonde__Reply *reply);
