/* SPDX-License-Identifier: ISC */
/* What the sensor found, as records. */
#pragma once

#include "lib/record/record.h"
#include "probes/sensor/finding.h"
#include "probes/sensor/first-packets.h"

/* Fills the body; it borrows from the finding, which must live as long. */
void sighting_of_finding(Sonde__Sighting *sighting,
    const struct finding *finding, uint32_t interval_s);
/* The same of a finding's first packet. */
void evidence_of_finding(Sonde__Evidence *evidence,
    const struct finding *finding, const struct first_packet *packet);
