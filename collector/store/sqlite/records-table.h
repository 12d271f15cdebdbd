/* SPDX-License-Identifier: ISC */
/*
 * The records as a table of SQL, read out of blocks:
 *
 *   records(agent BLOB, epoch, seq, wall_ns, received_ns, kind, campaign BLOB,
 *           run, src BLOB, dst BLOB, body BLOB)
 *
 * Conditions on wall_ns (=, <, <=, >, >=) and equality of agent, kind,
 * campaign, run, src and dst pass over what cannot match; ORDER BY wall_ns DESC
 * costs nothing.  agent, campaign, src and dst are bytes as the records have
 * them, kind is the name of lib/record/kinds.h.
 */
#pragma once

#include <sqlite3.h>

#include "collector/store/store.h"

/* Declares `records` on a connection of the caller's.  Reads go by ops->read
 * of the view, which must outlive the connection. */
int records_table_declare(sqlite3 *db, const struct store_ops *ops,
    struct store_view *view, struct errmsg *msg);
