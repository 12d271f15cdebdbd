/* SPDX-License-Identifier: ISC */
/* Services of simulated hosts, but those of TCP (sim-tcp.h). */
#pragma once

#include "probes/net/sim/sim-reply.h"

/* Is the datagram for a service of its node? */
bool sim_is_served(const struct sim_arrival *arrival);
/* What the service answers; 0: nothing. */
size_t sim_serve(const struct sim_arrival *arrival, uint8_t to[SIM_PACKET_MAX]);
