/* SPDX-License-Identifier: ISC */
/*
 * The rows of a pass: minutes of a path are put into order as far as they fit
 * into a bounded number of rows; those of the last minutes are let go, and the
 * next pass reads the hour again for them.
 */
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/rollup/path-rows.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

#define SUMS_MOST_BYTES (8u << 20) /* of the rows that are held */

/* The first row of a path and bin goes out as its bytes are, if no other
 * follows. */
static int begin_row(struct path_read *r, struct path_stream *from, int64_t bin)
{
	struct path_row row;
	size_t start = r->sums.len;
	int err = path_stream_row(from, &row, &r->sums, r->msg);
	if (err < 0)
		return err;
	if (r->count == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 256;
		r->rows = xreallocarray(r->rows, r->cap, sizeof(*r->rows));
	}
	r->rows[r->count++] = (struct path_out){
		.path = row.path,
		.bin = bin,
		.traces = row.traces,
		.reached = row.reached,
		.first_ns = row.first_ns,
		.last_ns = row.last_ns,
		.sums = start,
		.sums_len = row.sums_len,
	};
	return ERR_OK;
}

/* Adds what followed the first row. */
int path_end_row(struct path_read *r)
{
	struct path *more = &r->more;
	struct buf both = { 0 };
	if (more->traces == 0)
		return ERR_OK;
	struct path_out *row = &r->rows[r->count - 1];
	int err = path_write_sums_with(
	    more, r->sums.data + row->sums, row->sums_len, &both);
	if (err < 0) {
		r->view->db.corrupt = true;
		err = err_set(r->msg, ERR_CORRUPT,
		    "rollup.db: path %u has sums of different lengths",
		    row->path);
		goto out;
	}
	r->sums.len = row->sums;
	buf_bytes(&r->sums, both.data, both.len);
	row->sums_len = both.len;
	row->traces += more->traces;
	row->reached += more->reached;
	if (more->first_ns < row->first_ns)
		row->first_ns = more->first_ns;
	if (more->last_ns > row->last_ns)
		row->last_ns = more->last_ns;
out:
	buf_fini(&both);
	path_fini(more);
	return err;
}

static int cmp_out(const void *a, const void *b)
{
	const struct path_out *x = a, *y = b;
	if (x->bin != y->bin)
		return x->bin < y->bin ? -1 : 1;
	return (x->path > y->path) - (x->path < y->path);
}

int path_give_rows(struct path_read *r)
{
	if (r->count > 1)
		qsort(r->rows, r->count, sizeof(*r->rows), cmp_out);
	int err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < r->count; i++) {
		const struct path_out *row = &r->rows[i];
		const struct path_who *who;
		err = path_find_identity(r, row->path, &who);
		if (err < 0)
			return err;
		if (!who)
			continue;
		const struct store_path path = {
			.row = row->path,
			.agent_row = who->agent,
			.bin = row->bin,
			.src = who->src,
			.dst = who->dst,
			.traces = row->traces,
			.reached = row->reached,
			.first_ns = row->first_ns,
			.last_ns = row->last_ns,
			.hops = { who->hops.data, who->hops.len },
			.sums = { r->sums.data + row->sums, row->sums_len },
		};
		const struct store_row out = { STORE_PATHS, { .path = &path } };
		err = r->fn(r->ctx, &out);
	}
	r->count = 0;
	buf_clear(&r->sums);
	return err;
}

/* Rows from this bin on are for the next pass; the rows are sorted. */
static void cut_pass(struct path_read *r, int64_t end)
{
	struct buf sums = { 0 };
	size_t kept = 0;
	for (; kept < r->count && r->rows[kept].bin < end; kept++) {
		struct path_out *row = &r->rows[kept];
		size_t start = sums.len;
		buf_bytes(&sums, r->sums.data + row->sums, row->sums_len);
		row->sums = start;
	}
	r->count = kept;
	buf_fini(&r->sums);
	r->sums = sums;
	r->pass_end = end;
}

/* The rows that are held are complete; another is to come. */
static int make_room(struct path_read *r)
{
	if (r->count < gather_sizes.path_rows && r->sums.len < SUMS_MOST_BYTES)
		return ERR_OK;
	if (r->pass_end - r->pass_from <= r->bin_s)
		return path_give_rows(r);
	qsort(r->rows, r->count, sizeof(*r->rows), cmp_out);
	int64_t first = r->rows[0].bin, middle = r->rows[r->count / 2].bin;
	if (middle > first)
		cut_pass(r, middle);
	else if (first + r->bin_s < r->pass_end)
		cut_pass(r, first + r->bin_s);
	else /* bins before it may come with other paths */
		cut_pass(r, first);
	return ERR_OK;
}

static bool is_row_under_way(
    const struct path_read *r, uint32_t id, int64_t bin)
{
	const struct path_out *last = &r->rows[r->count > 0 ? r->count - 1 : 0];
	return r->count > 0 && last->path == id && last->bin == bin;
}

int path_sum_row(struct path_read *r, struct path_stream *from)
{
	int64_t bin = from->bin - from->bin % r->bin_s;
	if (bin < r->pass_from || bin >= r->pass_end)
		return ERR_OK;
	if (is_row_under_way(r, from->path, bin))
		return path_stream_add(from, &r->more, r->msg);
	int err = path_end_row(r);
	if (err < 0)
		return err;
	err = make_room(r);
	if (err != ERR_OK || bin >= r->pass_end)
		return err;
	return begin_row(r, from, bin);
}
