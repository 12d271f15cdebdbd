/* SPDX-License-Identifier: ISC */
/* Translators and firewalls on the way. */
#pragma once

#include "probes/net/sim/sim-reply.h"

/* The packet that leaves a node towards the outside, in place, when the node
 * translates; false: no port is free. */
bool sim_nat_out(const struct sim_arrival *arrival, uint8_t *bytes, size_t len);
/* A packet to the node's public address, in place; false: it is nobody's
 * inside. */
bool sim_nat_in(const struct sim_arrival *arrival, uint8_t *bytes, size_t len);
/* What the vantage's own host makes of the source before a packet leaves. */
void sim_snat(const struct sim_behaviour *how, uint8_t *bytes, size_t len);

/* Does a packet belong to a conversation, or may it begin one?  None may begin
 * that is on its way to a vantage; between two vantages, to the one that is
 * nearer. */
bool sim_firewall_passes(const struct sim_arrival *arrival);
