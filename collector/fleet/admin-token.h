/* SPDX-License-Identifier: ISC */
#pragma once

#include "collector/collector.h"

/* Reads the administrator's token from its file; makes both when there is no
 * file.  A file that others can read is an error. */
int admin_token_load(struct collector *collector, struct errmsg *msg);
/* The same without making anything: what admin_token_load would refuse. */
int admin_token_check(
    const struct collector_config *config, struct errmsg *msg);
