/* SPDX-License-Identifier: ISC */
/* What template.c makes for build.c. */
#pragma once

#include "probes/packet/probe.h"

#define TEMPLATE_MAX 60 /* IPv6 and TCP */

enum template_upper {
	TEMPLATE_ICMP,
	TEMPLATE_UDP,
	TEMPLATE_TCP,
	TEMPLATE_COUNT
};

struct probe_template {
	uint8_t bytes[TEMPLATE_MAX];
	size_t len;
};

struct probe_builder {
	struct probe_template templates[2][TEMPLATE_COUNT]; /* [is IPv6] */
};
