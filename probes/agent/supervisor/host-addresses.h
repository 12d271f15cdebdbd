/* SPDX-License-Identifier: ISC */
/* Where this machine can be reached, for its heartbeats. */
#pragma once

#include "probes/agent/keeper/heartbeat.h"

/* Addresses of interfaces that are up; neither loopback nor link-local IPv6.
 * What was read before stays when the kernel does not answer. */
void host_addresses_read(struct heartbeat_host *host);
