/* SPDX-License-Identifier: ISC */
#pragma once

#include <jansson.h>

#include "collector/query/query-args.h"

json_t *agent_to_json(
    struct collector *collector, const struct store_agent *row);
