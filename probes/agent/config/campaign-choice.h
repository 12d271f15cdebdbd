/* SPDX-License-Identifier: ISC */
/*
 * What a campaign may choose of the way that its probes leave by: the device,
 * the source address, the mark.  agent.conf lists what is allowed, nothing by
 * default; a campaign has its wishes among its script's options, as they are
 * on the command line, so an agent that knows none of this fails the run.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/option/config-file.h"
#include "probes/net/net.h"

#define CHOICE_DEVICES_MAX 16
#define CHOICE_SOURCES_MAX 16

/* campaign-interfaces, campaign-sources and campaign-marks. */
struct choice_allowed {
	char devices[CHOICE_DEVICES_MAX][NET_DEVICE_LEN];
	size_t device_count;
	struct addr sources[CHOICE_SOURCES_MAX];
	size_t source_count;
	uint32_t marks[NET_RUN_MARKS_MAX];
	size_t mark_count;
};

/* ERR_CONFIG says which key is wrong. */
int choice_allowed_read(struct choice_allowed *allowed,
    const struct config *config, struct errmsg *msg);

/* Is anything allowed? */
bool choice_allowed_any(const struct choice_allowed *allowed);

/* Takes --interface=, --source= and --mark= out of a run's arguments, which
 * are freed, and with the zones of its targets makes the choice of them.
 * Whether this host has what is chosen now is not looked at.  ERR_USAGE: no
 * device, address or mark, several, or one that is not allowed. */
int choice_take(struct net_choice *choice, const struct choice_allowed *allowed,
    char **arguments, size_t *count, struct errmsg *msg);
