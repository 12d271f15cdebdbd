/* SPDX-License-Identifier: ISC */
/* What the seeded sensors see: a steady murmur, and a worm that breaks out
 * seventy minutes before the end. */
#pragma once

#include "tests/web/seed-net.h"

/* Adds one minute of one agent's sightings. */
void worm_minute(struct synth *by, unsigned agent, const Sonde__Record *frame,
    const struct net_when *when, struct dice *dice);
/* Adds the payloads, once. */
void worm_payloads(struct synth *by, const Sonde__Record *frame);
/* Adds the minute's heartbeat. */
void worm_heartbeat(struct synth *by, unsigned agent,
    const Sonde__Record *frame, uint64_t minute, struct dice *dice);
