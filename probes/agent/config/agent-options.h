/* SPDX-License-Identifier: ISC */
/* The options of sonde-agent, and of `sonde-agent enrol`. */
#pragma once

#include "lib/option/option.h"

extern const struct option_table agent_options, agent_enrol_options;
