/* SPDX-License-Identifier: ISC */
/* A host's side of TCP. */
#pragma once

#include "probes/net/sim/sim-reply.h"

/* What the host answers to a segment; 0: nothing. */
size_t sim_reply_tcp(
    const struct sim_arrival *arrival, uint8_t to[SIM_PACKET_MAX]);
