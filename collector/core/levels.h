/* SPDX-License-Identifier: ISC */
/* The widths of the bins that rollups have. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "collector/store/store.h"

struct collector;

/* From the configuration to the store's; before the store opens. */
void levels_set(struct collector *collector);
bool collector_has_level(const struct collector *collector, uint32_t bin_s);
/* The coarsest level that still gives about `bins` bins over a range. */
uint32_t collector_level_for(const struct collector *collector,
    const struct store_range *range, unsigned bins);
