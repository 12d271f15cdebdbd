/* SPDX-License-Identifier: ISC */
/* The rows of a read of sources: which are wanted, of hours and of days. */
#include <stdlib.h>

#include "collector/store/sqlite/rollup/read-sources.h"
#include "lib/base/xalloc.h"

static bool is_class_wanted(const struct source_read *r, uint32_t class)
{
	return class < r->class_count && r->classes[class].wanted;
}

bool source_read_matches(
    const struct source_read *r, const struct source_key *key)
{
	if (key->family == 0) /* packets whose sources have no name */
		return false;
	if (r->plan->agent_row && key->agent != r->plan->agent_row)
		return false;
	if (r->ranged &&
	    (source_cmp_addr(key, &r->first) < 0 ||
		source_cmp_addr(key, &r->last) > 0))
		return false;
	return is_class_wanted(r, key->class);
}

bool source_read_in_range(
    const struct source_read *r, const struct source_row *row)
{
	return row->last_ns >= r->from_ns && row->first_ns < r->to_ns;
}

static void keep_match(struct source_read *r, const struct source_row *row)
{
	if (r->count == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 1024;
		r->rows = xreallocarray(r->rows, r->cap, sizeof(*r->rows));
	}
	r->rows[r->count++] = *row;
}

static int cmp_by_class(const void *a, const void *b)
{
	const struct source_row *x = *(const struct source_row *const *)a;
	const struct source_row *y = *(const struct source_row *const *)b;
	return source_cmp(&x->key, &y->key, true);
}

void source_read_sort(struct source_read *r)
{
	free(r->sorted);
	r->sorted = xcalloc(r->count + 1, sizeof(void *));
	for (size_t i = 0; i < r->count; i++)
		r->sorted[i] = &r->rows[i];
	qsort(r->sorted, r->count, sizeof(void *), cmp_by_class);
}

int source_read_hour(struct source_read *r, const struct part_info *part,
    int64_t from, int64_t end)
{
	struct source_stream stream;
	int64_t width = part->fine ? r->fine_s : HOUR_S;
	source_stream_init(
	    &stream, &r->view->db, r->view->codec, &part->id, false);
	stream.only_agent = (uint32_t)r->plan->agent_row;
	int err = r->ranged ? source_stream_seek(&stream, &r->first, r->msg)
			    : source_stream_next(&stream, r->msg);
	for (; err == 1; err = source_stream_next(&stream, r->msg)) {
		const struct source_row *row = &stream.row;
		if (r->ranged && source_cmp_addr(&row->key, &r->last) > 0)
			break;
		if (row->key.bin + width <= from || row->key.bin >= end ||
		    !source_read_matches(r, &row->key))
			continue;
		err = source_stream_detail(&stream, r->msg);
		if (err < 0)
			break;
		if (source_read_in_range(r, row))
			keep_match(r, row);
	}
	source_stream_fini(&stream);
	return err < 0 ? err : ERR_OK;
}

uint64_t source_read_light(
    const struct source_read *r, size_t day, uint32_t class)
{
	return r->light ? r->light[day * (r->class_count + 1) + class] : 0;
}

static void add_part(struct source_read *r, struct source_merge *merge,
    const struct part_id *id, bool details, size_t day)
{
	source_merge_add(
	    merge, &r->view->db, r->view->codec, id, details, (int)day);
	merge->streams[merge->count - 1].only_agent =
	    (uint32_t)r->plan->agent_row;
}

void source_read_add_day(struct source_read *r, struct source_merge *merge,
    size_t d, bool heavy, bool light, bool details)
{
	const struct day_parts *day = &r->days[d];
	if (heavy && day->has_heavy)
		add_part(r, merge, &day->heavy, details || day->edge, d);
	if (light && day->has_light)
		add_part(r, merge, &day->light, details || day->edge, d);
}

bool source_read_in_time(
    const struct source_read *r, int tag, const struct source_row *row)
{
	return tag < 0 || !r->days || !r->days[tag].edge ||
	    source_read_in_range(r, row);
}
