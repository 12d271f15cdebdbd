/* SPDX-License-Identifier: ISC */
/* The tables that scripts declare: only stored. */
#include "collector/ingest/kinds/ingest-kind.h"

const struct ingest_kind ingest_result_schema = { .prepare = NULL };
