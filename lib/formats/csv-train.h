/* SPDX-License-Identifier: ISC */
/* What a user's script recorded, as rows of CSV. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "lib/base/err.h"
#include "lib/record/record.h"

struct csv_train; /* the columns, which the first record decides */

/* Writes a row, and titles before the first one (*columns is NULL).  What
 * has no column is ERR_UNSUPPORTED, and nothing is written. */
int csv_train_row(struct csv_train **columns, FILE *to,
    const Sonde__Record *record, struct errmsg *msg);
void csv_train_free(struct csv_train *columns);
