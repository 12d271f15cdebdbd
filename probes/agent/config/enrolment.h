/* SPDX-License-Identifier: ISC */
/* `sonde-agent enrol`: becoming an agent of a collector. */
#pragma once

#include "probes/agent/config/agent-config.h"

struct enrolment {
	const char *url;   /* of the collector */
	const char *token; /* one-time */
	const char *name;  /* NULL: the config's, else the host's */
};

/* Makes a key (or takes the one that an earlier attempt left), asks the
 * collector, writes identity and key.  An agent that is enrolled already is
 * an error. */
int enrol(const struct agent_config *config, const struct enrolment *request,
    struct agent_identity *identity, struct errmsg *msg);
