/* SPDX-License-Identifier: ISC */
/* Results and their schemas, checked; the keeper's own. */
#pragma once

#include "probes/agent/keeper/keeper-state.h"

/* Of any record.  0: append it; 1: a schema that the spool has; ERR_NOT_FOUND:
 * a row of a schema that is not known, to be dropped; any other error: the
 * producer lies. */
int keeper_check_result(
    struct keeper *k, const Sonde__Record *record, struct errmsg *msg);
