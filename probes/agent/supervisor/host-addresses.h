/* SPDX-License-Identifier: ISC */
/* Where this machine can be reached, and what it can send from. */
#pragma once

#include "probes/agent/keeper/heartbeat.h"
#include "probes/net/net.h"

/* Addresses of interfaces that are up; neither loopback nor link-local IPv6.
 * What was read before stays when the kernel does not answer. */
void host_addresses_read(struct heartbeat_host *host);

/* Has this machine what a run chose?  ERR_USAGE says what it lacks. */
int host_has_choice(const struct net_choice *choice, struct errmsg *msg);
