/* SPDX-License-Identifier: ISC */
/* The levels of rollups: series-bin, a minute, an hour, a day. */
#include "collector/core/levels.h"

#include "collector/core/private.h"

void levels_set(struct collector *c)
{
	uint32_t *levels = c->store_config.levels;
	int n = 0;
	if (c->config.series_bin_s < 60)
		levels[n++] = c->config.series_bin_s;
	levels[n++] = 60;
	levels[n++] = 3600;
	levels[n++] = 86400;
}

bool collector_has_level(const struct collector *c, uint32_t bin_s)
{
	for (int i = 0; i < STORE_LEVELS_MAX; i++)
		if (bin_s && c->store_config.levels[i] == bin_s)
			return true;
	return false;
}

uint32_t collector_level_for(
    const struct collector *c, const struct store_range *range, unsigned bins)
{
	const uint32_t *levels = c->store_config.levels;
	int64_t width_s = (range->to_ns - range->from_ns) / NS_PER_S;
	uint32_t best = levels[0];
	for (int i = 1; i < STORE_LEVELS_MAX && levels[i]; i++)
		if (width_s / levels[i] >= bins)
			best = levels[i];
	return best;
}
