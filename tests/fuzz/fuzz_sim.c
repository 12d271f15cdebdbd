/* SPDX-License-Identifier: ISC */
/* A description of a simulated internet, small enough to build. */
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "probes/net/sim/sim.h"
#include "probes/net/sim/sim-parse.h"
#include "probes/net/sim/sim-world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct sim_world *world = sim_world_new();
	world->max_nodes = 200;
	if (sim_parse(world, text, "fuzz", NULL) == 0)
		sim_world_finish(world, NULL, NULL);
	sim_world_free(world);
	free(text);
	return 0;
}
