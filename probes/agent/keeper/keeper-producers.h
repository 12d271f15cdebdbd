/* SPDX-License-Identifier: ISC */
/* What producers send; the keeper's own. */
#pragma once

#include "probes/agent/keeper/keeper-state.h"

void keeper_drop_producer(struct keeper *k, size_t i);
/* One datagram; false when there is none, or no producer any more. */
bool keeper_take_datagram(struct keeper *k, size_t i);
/* A producer's turn: some datagrams, or one that wants to become one. */
void keeper_take_turn(struct keeper *k, size_t i);
