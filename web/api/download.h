/* SPDX-License-Identifier: ISC */
/*
 * Records as a file of one of lib/formats: fetched page after page and
 * formatted while the client reads, so that a download of any length needs the
 * memory of one page.
 */
#pragma once

#include "lib/option/param.h"
#include "web/http/request.h"

/* The `format` of /api/v1/records. */
extern const struct param download_param_format;

/* Answers and ends a request that names a format.  Without `kind` the file
 * holds the format's usual kinds.  Trailers: Sonde-Skipped, the records that
 * have no form in the format; Sonde-Next, the cursor where `limit` ended it. */
void download_records(struct request *request);
