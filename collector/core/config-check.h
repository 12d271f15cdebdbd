/* SPDX-License-Identifier: ISC */
#pragma once

#include "collector/core/config.h"

/* What collector_open would refuse of its configuration, without making
 * anything; *key: the configuration's key that is wrong. */
int collector_check(const struct collector_config *config, const char **key,
    struct errmsg *msg);
