/* SPDX-License-Identifier: ISC */
/* Which paths a reading wants, and who each is. */
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/rollup/path-who.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

#define NAMES_PASSED 64 /* rather than looked up again */

int path_read_wanted(struct path_read *r)
{
	const struct store_plan *plan = r->plan;
	bool hop = plan->hop.family != 0;
	if (!hop && plan->agent_row == 0)
		return ERR_OK;
	sqlite3_stmt *row = hop
	    ? db_query(&r->view->db,
		  "SELECT h.path FROM path_hops h JOIN paths p"
		  " ON p.id = h.path WHERE h.addr = ?1"
		  " AND (?2 = 0 OR p.agent = ?2) ORDER BY h.path",
		  "ai", &plan->hop, plan->agent_row)
	    : db_query(&r->view->db,
		  "SELECT id FROM paths WHERE ?1 IS NULL AND agent = ?2"
		  " ORDER BY id",
		  "ni", plan->agent_row);
	size_t cap = 64;
	int err;
	r->wanted = xcalloc(cap, sizeof(*r->wanted));
	while ((err = db_step(&r->view->db, row, r->msg)) == 1) {
		if (r->wanted_count == cap) {
			cap *= 2;
			r->wanted =
			    xreallocarray(r->wanted, cap, sizeof(*r->wanted));
		}
		r->wanted[r->wanted_count++] =
		    (uint32_t)sqlite3_column_int64(row, 0);
	}
	db_reset(row);
	return err;
}

/* Paths are asked for in ascending order, mostly one after the other. */
static int step_to_name(struct path_read *r, uint32_t id)
{
	int err = 1;
	if (!r->names || id < r->named || id - r->named > NAMES_PASSED ||
	    r->named == 0) {
		if (r->names)
			db_reset(r->names);
		r->names = db_query(&r->view->db,
		    "SELECT id, agent, src, dst, hops FROM paths"
		    " WHERE id >= ?1 ORDER BY id",
		    "i", (int64_t)id);
		r->named = 0;
	}
	while (r->named < id) {
		err = db_step(&r->view->db, r->names, r->msg);
		if (err != 1) {
			r->named = 0;
			return err;
		}
		r->named = (uint32_t)sqlite3_column_int64(r->names, 0);
	}
	return r->named == id;
}

void path_forget_identities(struct path_read *r)
{
	for (size_t i = 0; i < r->identity_count; i++)
		buf_fini(&r->identities[i].hops);
	r->identity_count = 0;
	index_clear(&r->by_id);
}

int path_find_identity(
    struct path_read *r, uint32_t id, const struct path_who **found)
{
	uint64_t hash = index_hash(&id, sizeof(id));
	struct index_walk walk = index_walk(&r->by_id, hash);
	size_t i;
	*found = NULL;
	while (index_next(&walk, &i))
		if (r->identities[i].id == id) {
			*found = &r->identities[i];
			return ERR_OK;
		}
	int err = step_to_name(r, id);
	if (err != 1)
		return err;
	if (r->identity_count >= gather_sizes.path_rows)
		path_forget_identities(r);
	if (r->identity_count == r->identity_cap) {
		r->identity_cap = r->identity_cap ? r->identity_cap * 2 : 256;
		r->identities = xreallocarray(
		    r->identities, r->identity_cap, sizeof(*r->identities));
	}
	struct path_who *made = &r->identities[r->identity_count];
	*made = (struct path_who){
		.id = id,
		.agent = sqlite3_column_int64(r->names, 1),
		.src = db_column_addr(r->names, 2),
		.dst = db_column_addr(r->names, 3),
	};
	buf_bytes(&made->hops, sqlite3_column_blob(r->names, 4),
	    (size_t)sqlite3_column_bytes(r->names, 4));
	index_put(&r->by_id, hash, r->identity_count++);
	*found = made;
	return ERR_OK;
}
