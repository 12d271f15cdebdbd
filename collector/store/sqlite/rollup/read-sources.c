/* SPDX-License-Identifier: ISC */
/*
 * Sources by packets, most first.
 *
 * Where the finest rows of a range are not too many they are all read.  Else
 * days are taken whole, and the top of their sum is found by thresholds (after
 * Fagin's: Fagin, Lotem, Naor 2003): the heavy groups of all days are summed,
 * which gives each group a lower bound and, with the most that the light groups
 * of the days in which it is not heavy can add, an upper one.  Only those whose
 * upper bound reaches the last place are looked up among the light groups. When
 * a group that is heavy nowhere could reach it, everything is read.
 */
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/rollup/gather-private.h"
#include "collector/store/sqlite/rollup/view.h"
#include "lib/base/xalloc.h"

#define PARTS_MOST 2000 /* looked into for one source */
#define PREFIX_ROWS_MOST 200000
#define CANDIDATES_KEPT 65536

struct class_info {
	char *verdict, *signature; /* NULL: there is none */
	bool wanted;
};
struct source_group {
	struct source_row sum;
	int64_t *agents; /* owned, ascending */
	size_t agent_count;
};
struct source_candidate {
	struct source_key key;
	uint64_t known, most; /* packets */
	uint64_t days;        /* in which it is heavy: bits of the first 64 */
	uint64_t maybe;       /* may be light: the same */
};
struct day_parts {
	int64_t day;
	struct part_id heavy, light;
	bool has_heavy, has_light, edge;
};

struct source_read {
	struct rollup_view *view;
	const struct store_plan *plan;
	struct errmsg *msg;
	int64_t from_ns, to_ns;
	uint32_t fine_s;
	struct class_info *classes; /* by id */
	size_t class_count;
	bool ranged; /* one source, or a prefix */
	struct source_key first, last;
	struct source_row *rows; /* that match */
	size_t count, cap, rows_most;
	const struct source_row **sorted;
	struct source_group under_way, *top; /* a heap, the last place first */
	size_t top_count, top_cap, places;
	struct day_parts *days;
	size_t day_count;
	uint64_t *light; /* day by class */
};

static int read_classes(struct source_read *r)
{
	const struct store_plan *plan = r->plan;
	sqlite3_stmt *row = db_query(&r->view->db,
	    "SELECT id, verdict, signature FROM classes ORDER BY id", "");
	int err;
	while ((err = db_step(&r->view->db, row, r->msg)) == 1) {
		size_t id = (size_t)sqlite3_column_int64(row, 0);
		if (id > CLASSES_MOST + 1)
			continue;
		if (id >= r->class_count) {
			r->classes = xreallocarray(
			    r->classes, id + 1, sizeof(*r->classes));
			for (; r->class_count <= id; r->class_count++)
				r->classes[r->class_count] =
				    (struct class_info){ 0 };
		}
		struct class_info *class = &r->classes[id];
		class->verdict = xstrdup(db_column_text(row, 1));
		class->signature = xstrdup(db_column_text(row, 2));
		class->wanted =
		    (!plan->verdict ||
			strcmp(plan->verdict, class->verdict) == 0) &&
		    (!plan->signature ||
			strcmp(plan->signature, class->signature) == 0) &&
		    (!plan->class_row || plan->class_row == (int64_t)id);
	}
	db_reset(row);
	return err;
}

static void set_range(struct source_read *r)
{
	const struct store_plan *plan = r->plan;
	if (plan->src.family) {
		source_key_set_addr(&r->first, &plan->src);
		r->last = r->first;
		r->ranged = true;
	} else if (plan->src_prefix) {
		struct addr last = plan->src_prefix->addr;
		for (unsigned bit = plan->src_prefix->len;
		     bit < addr_bits(&last); bit++)
			last.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
		source_key_set_addr(&r->first, &plan->src_prefix->addr);
		source_key_set_addr(&r->last, &last);
		r->ranged = true;
	}
}

static bool is_class_wanted(const struct source_read *r, uint32_t class)
{
	return class < r->class_count && r->classes[class].wanted;
}

/* All that the plan asks of a row but its time. */
static bool matches(const struct source_read *r, const struct source_key *key)
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

static bool is_in_range(
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

/* --- the places --- */
/* Of equal ones the lower address as bytes, then class, protocol, port. */
static bool is_before(const struct source_row *a, const struct source_row *b)
{
	if (a->packets != b->packets)
		return a->packets > b->packets;
	if (a->key.family != b->key.family) {
		struct addr x = source_key_addr(&a->key);
		struct addr y = source_key_addr(&b->key);
		int order = memcmp(x.bytes, y.bytes, sizeof(x.bytes));
		return order ? order < 0 : a->key.family < b->key.family;
	}
	return source_cmp_group(&a->key, &b->key, false) < 0;
}

static void sink(struct source_read *r, size_t i)
{
	for (;;) {
		size_t worst = i, left = 2 * i + 1, right = left + 1;
		if (left < r->top_count &&
		    is_before(&r->top[worst].sum, &r->top[left].sum))
			worst = left;
		if (right < r->top_count &&
		    is_before(&r->top[worst].sum, &r->top[right].sum))
			worst = right;
		if (worst == i)
			return;
		struct source_group t = r->top[i];
		r->top[i] = r->top[worst];
		r->top[worst] = t;
		i = worst;
	}
}

static void rise(struct source_read *r, size_t i)
{
	while (i > 0) {
		size_t up = (i - 1) / 2;
		if (!is_before(&r->top[up].sum, &r->top[i].sum))
			return;
		struct source_group t = r->top[i];
		r->top[i] = r->top[up];
		r->top[up] = t;
		i = up;
	}
}

/* The group under way gets its place, if it has one. */
static void end_group(struct source_read *r)
{
	struct source_group *g = &r->under_way;
	if (g->agent_count == 0)
		return;
	bool full = r->top_count == r->places;
	if (!full) {
		if (r->top_count == r->top_cap) {
			r->top_cap = r->top_cap ? r->top_cap * 2 : 128;
			r->top =
			    xreallocarray(r->top, r->top_cap, sizeof(*r->top));
		}
		r->top[r->top_count++] = *g;
		rise(r, r->top_count - 1);
		*g = (struct source_group){ 0 };
	} else if (is_before(&g->sum, &r->top[0].sum)) {
		struct source_group out = r->top[0];
		r->top[0] = *g;
		sink(r, 0);
		*g = out;
	}
	g->agent_count = 0;
}

static void add_agent(struct source_group *g, int64_t agent)
{
	size_t at = g->agent_count;
	while (at > 0 && g->agents[at - 1] > agent)
		at--;
	if (at > 0 && g->agents[at - 1] == agent)
		return;
	/* Room for powers of two. */
	if ((g->agent_count & (g->agent_count - 1)) == 0)
		g->agents = xreallocarray(g->agents,
		    g->agent_count ? 2 * g->agent_count : 1,
		    sizeof(*g->agents));
	memmove(&g->agents[at + 1], &g->agents[at],
	    (g->agent_count - at) * sizeof(*g->agents));
	g->agents[at] = agent;
	g->agent_count++;
}

/* Rows come group by group. */
static void add_row(struct source_read *r, const struct source_row *row)
{
	struct source_group *g = &r->under_way;
	if (g->agent_count > 0 && !source_same_group(&g->sum.key, &row->key))
		end_group(r);
	if (g->agent_count == 0)
		g->sum = *row;
	else
		source_add(&g->sum, row);
	add_agent(g, row->key.agent);
}

static int cmp_by_class(const void *a, const void *b)
{
	const struct source_row *x = *(const struct source_row *const *)a;
	const struct source_row *y = *(const struct source_row *const *)b;
	return source_cmp(&x->key, &y->key, true);
}

static void sort_matches(struct source_read *r)
{
	free(r->sorted);
	r->sorted = xcalloc(r->count + 1, sizeof(void *));
	for (size_t i = 0; i < r->count; i++)
		r->sorted[i] = &r->rows[i];
	qsort(r->sorted, r->count, sizeof(void *), cmp_by_class);
}

static void place_matches(struct source_read *r)
{
	sort_matches(r);
	for (size_t i = 0; i < r->count; i++)
		add_row(r, r->sorted[i]);
	end_group(r);
}

/* --- rows of hours --- */
static int read_hour_part(struct source_read *r, const struct part_info *part,
    int64_t from, int64_t end)
{
	struct source_stream stream;
	int64_t width = part->fine ? r->fine_s : HOUR_S;
	source_stream_init(
	    &stream, &r->view->db, r->view->codec, &part->id, false);
	int err = r->ranged ? source_stream_seek(&stream, &r->first, r->msg)
			    : source_stream_next(&stream, r->msg);
	for (; err == 1; err = source_stream_next(&stream, r->msg)) {
		const struct source_row *row = &stream.row;
		if (r->ranged && source_cmp_addr(&row->key, &r->last) > 0)
			break;
		if (row->key.bin + width <= from || row->key.bin >= end ||
		    !matches(r, &row->key))
			continue;
		err = source_stream_detail(&stream, r->msg);
		if (err < 0)
			break;
		if (is_in_range(r, row))
			keep_match(r, row);
	}
	source_stream_fini(&stream);
	return err < 0 ? err : ERR_OK;
}

static int read_fine(struct source_read *r, const struct part_list *parts)
{
	int64_t from = view_first_bin(r->plan, r->fine_s);
	int64_t end = view_end_bin(r->plan);
	for (size_t i = 0; i < parts->count; i++) {
		int err = read_hour_part(r, &parts->items[i], from, end);
		if (err < 0)
			return err;
	}
	place_matches(r);
	return ERR_OK;
}

/* Whether the finest rows are few enough. */
static int choose_fine(
    struct source_read *r, struct part_list *parts, bool *fine)
{
	struct db *db = &r->view->db;
	uint64_t rows = 0;
	uint8_t first[PART_KEY_MOST], last[PART_KEY_MOST];
	int64_t from = view_first_bin(r->plan, HOUR_S);
	int64_t end = view_end_bin(r->plan);
	int err = part_list_read(db, ROLLUP_SOURCES, from, end, parts, r->msg);
	if (err < 0)
		return err;
	if (r->plan->bin_s >= DAY_S) {
		*fine = false;
		return ERR_OK;
	}
	if (r->plan->src.family) {
		*fine = parts->count <= PARTS_MOST;
		return ERR_OK;
	}
	for (size_t i = 0; i < parts->count; i++)
		rows += parts->items[i].rows;
	if (rows > gather_sizes.fine_rows && r->ranged) {
		size_t len = source_key_bytes(ROLLUP_SOURCES, &r->first, first);
		source_key_bytes(ROLLUP_SOURCES, &r->last, last);
		const struct part_span span = { ROLLUP_SOURCES, from, end,
			first, last, len };
		err = part_count(
		    db, &span, gather_sizes.fine_rows + 1, &rows, r->msg);
	}
	*fine = rows <= gather_sizes.fine_rows;
	return err;
}

/* --- days --- */
static struct day_parts *day_of(struct source_read *r, int64_t day)
{
	if (r->day_count > 0 && r->days[r->day_count - 1].day == day)
		return &r->days[r->day_count - 1];
	r->days = xreallocarray(r->days, r->day_count + 1, sizeof(*r->days));
	struct day_parts *made = &r->days[r->day_count++];
	*made = (struct day_parts){ .day = day };
	made->edge =
	    day * NS_PER_S < r->from_ns || (day + DAY_S) * NS_PER_S > r->to_ns;
	return made;
}

static int list_days(struct source_read *r, int64_t from, int64_t end)
{
	sqlite3_stmt *row = db_query(&r->view->db,
	    "SELECT tbl, bin, part FROM parts WHERE tbl IN (2, 3)"
	    " AND bin >= ?1 AND bin < ?2 ORDER BY bin, tbl",
	    "ii", from, end);
	int err;
	while ((err = db_step(&r->view->db, row, r->msg)) == 1) {
		const struct part_id id = {
			(enum rollup_table)sqlite3_column_int(row, 0),
			sqlite3_column_int64(row, 1),
			sqlite3_column_int64(row, 2)
		};
		struct day_parts *day = day_of(r, id.bin);
		if (id.table == ROLLUP_HEAVY) {
			day->heavy = id;
			day->has_heavy = true;
		} else {
			day->light = id;
			day->has_light = true;
		}
	}
	db_reset(row);
	return err;
}

/* Rows of hours that their day does not hold yet. */
static int read_delta(struct source_read *r, int64_t from, int64_t end)
{
	struct part_list parts = { 0 };
	int64_t day = -1, upto = -1;
	int err = part_list_read(
	    &r->view->db, ROLLUP_SOURCES, from, end, &parts, r->msg);
	for (size_t i = 0; err == 0 && i < parts.count; i++) {
		int64_t bin = parts.items[i].id.bin;
		if (bin - bin % DAY_S != day) {
			day = bin - bin % DAY_S;
			err = derived_upto(
			    &r->view->db, ROLLUP_HEAVY, day, &upto, r->msg);
		}
		if (err == ERR_OK && parts.items[i].id.part > upto)
			err = read_hour_part(r, &parts.items[i], from, end);
	}
	part_list_fini(&parts);
	return err;
}

static int read_bounds(struct source_read *r)
{
	size_t width = r->class_count + 1;
	r->light = xcalloc((r->day_count + 1) * width, sizeof(*r->light));
	for (size_t d = 0; d < r->day_count; d++) {
		sqlite3_stmt *row = db_query(&r->view->db,
		    "SELECT class, packets FROM light WHERE day = ?1", "i",
		    r->days[d].day);
		int err;
		while ((err = db_step(&r->view->db, row, r->msg)) == 1) {
			uint64_t class = (uint64_t)sqlite3_column_int64(row, 0);
			if (class < r->class_count)
				r->light[d * width + class] =
				    (uint64_t)sqlite3_column_int64(row, 1);
		}
		db_reset(row);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

static uint64_t light_of(
    const struct source_read *r, size_t day, uint32_t class)
{
	return r->light ? r->light[day * (r->class_count + 1) + class] : 0;
}

static void add_day(struct source_read *r, struct source_merge *merge, size_t d,
    bool heavy, bool light, bool details)
{
	const struct day_parts *day = &r->days[d];
	if (heavy && day->has_heavy)
		source_merge_add(merge, &r->view->db, r->view->codec,
		    &day->heavy, details || day->edge, (int)d);
	if (light && day->has_light)
		source_merge_add(merge, &r->view->db, r->view->codec,
		    &day->light, details || day->edge, (int)d);
}

static bool is_in_time(
    const struct source_read *r, int tag, const struct source_row *row)
{
	return tag < 0 || !r->days || !r->days[tag].edge || is_in_range(r, row);
}

/* From one class's first wanted address to its last. */
static int walk_class(
    struct source_read *r, struct source_merge *merge, uint32_t class)
{
	struct source_key from = { .class = class };
	if (r->ranged) {
		from = r->first;
		from.class = class;
	}
	int err = source_merge_start(merge, &from, r->msg);
	for (; err == 1 && merge->row; err = source_merge_next(merge, r->msg)) {
		const struct source_row *row = merge->row;
		if (row->key.class != class ||
		    (r->ranged && source_cmp_addr(&row->key, &r->last) > 0))
			break;
		if (matches(r, &row->key) && is_in_time(r, merge->tag, row))
			add_row(r, row);
	}
	return err < 0 ? err : ERR_OK;
}

/* Everything of the days, class by class. */
static int read_all_days(struct source_read *r)
{
	for (uint32_t class = 0; class < r->class_count; class ++) {
		if (!r->classes[class].wanted)
			continue;
		struct source_merge merge = { 0 };
		for (size_t d = 0; d < r->day_count; d++)
			add_day(r, &merge, d, true, true, true);
		if (r->count > 0)
			source_merge_add_array(&merge, r->sorted, r->count, -1);
		int err = walk_class(r, &merge, class);
		source_merge_fini(&merge);
		if (err < 0)
			return err;
	}
	end_group(r);
	return ERR_OK;
}

struct threshold {
	uint64_t *places; /* a heap, the least first */
	size_t count, most;
	struct source_candidate *items;
	size_t item_count, item_cap;
	struct source_candidate now; /* under way; key.class 0: none */
	bool under_way;
};

static void place_known(struct threshold *t, uint64_t known)
{
	size_t i;
	if (t->count < t->most) {
		for (i = t->count++; i > 0 && t->places[(i - 1) / 2] > known;
		     i = (i - 1) / 2)
			t->places[i] = t->places[(i - 1) / 2];
		t->places[i] = known;
		return;
	}
	if (known <= t->places[0])
		return;
	for (i = 0;;) {
		size_t least = 2 * i + 1;
		if (least + 1 < t->count &&
		    t->places[least + 1] < t->places[least])
			least++;
		if (least >= t->count || t->places[least] >= known)
			break;
		t->places[i] = t->places[least];
		i = least;
	}
	t->places[i] = known;
}

/* What the last place has at least. */
static uint64_t last_place(const struct threshold *t)
{
	return t->count < t->most ? 0 : t->places[0];
}

static void drop_hopeless(struct threshold *t)
{
	size_t kept = 0;
	uint64_t least = last_place(t);
	for (size_t i = 0; i < t->item_count; i++)
		if (t->items[i].most >= least)
			t->items[kept++] = t->items[i];
	t->item_count = kept;
}

static void end_candidate(struct threshold *t)
{
	if (!t->under_way)
		return;
	t->under_way = false;
	place_known(t, t->now.known);
	if (t->now.most < last_place(t))
		return;
	if (t->item_count == t->item_cap) {
		if (t->item_count >= CANDIDATES_KEPT)
			drop_hopeless(t);
		if (t->item_count * 2 >= t->item_cap) {
			t->item_cap = t->item_cap ? t->item_cap * 2 : 1024;
			t->items = xreallocarray(
			    t->items, t->item_cap, sizeof(*t->items));
		}
	}
	t->items[t->item_count++] = t->now;
}

static void begin_candidate(const struct source_read *r, struct threshold *t,
    const struct source_key *key)
{
	t->under_way = true;
	t->now = (struct source_candidate){ .key = *key };
	for (size_t d = 0; d < r->day_count; d++)
		t->now.most += light_of(r, d, key->class);
}

static void add_known(const struct source_read *r, struct threshold *t,
    const struct source_row *row, int tag)
{
	uint64_t bit = tag >= 0 && tag < 64 ? UINT64_C(1) << tag : 0;
	if (t->under_way && !source_same_group(&t->now.key, &row->key))
		end_candidate(t);
	if (!t->under_way)
		begin_candidate(r, t, &row->key);
	t->now.known += row->packets;
	t->now.most += row->packets;
	if (bit && !(t->now.days & bit)) {
		t->now.days |= bit;
		t->now.most -= light_of(r, (size_t)tag, row->key.class);
	}
}

/* The most packets of a group that is heavy in no day. */
static uint64_t unseen_most(const struct source_read *r)
{
	uint64_t most = 0;
	for (uint32_t c = 0; c < r->class_count; c++) {
		uint64_t sum = 0;
		if (!r->classes[c].wanted)
			continue;
		for (size_t d = 0; d < r->day_count; d++)
			sum += light_of(r, d, c);
		most = sum > most ? sum : most;
	}
	return most;
}

static int sum_heavy(struct source_read *r, struct threshold *t)
{
	struct source_merge merge = { 0 };
	for (size_t d = 0; d < r->day_count; d++)
		add_day(r, &merge, d, true, false, false);
	if (r->count > 0)
		source_merge_add_array(&merge, r->sorted, r->count, -1);
	int err = source_merge_start(&merge, NULL, r->msg);
	for (; err == 1; err = source_merge_next(&merge, r->msg)) {
		const struct source_row *row = merge.row;
		if (matches(r, &row->key) && is_in_time(r, merge.tag, row))
			add_known(r, t, row, merge.tag);
	}
	end_candidate(t);
	source_merge_fini(&merge);
	return err;
}

static int look_up(struct source_read *r, struct source_stream *stream,
    const struct source_candidate *c)
{
	int err = source_stream_seek(stream, &c->key, r->msg);
	while (err == 1 && source_same_group(&stream->row.key, &c->key)) {
		err = source_stream_detail(stream, r->msg);
		if (err < 0)
			break;
		if (matches(r, &stream->row.key) &&
		    is_in_range(r, &stream->row))
			add_row(r, &stream->row);
		err = source_stream_next(stream, r->msg);
	}
	return err < 0 ? err : ERR_OK;
}

/* Which candidates a day may hold among its light groups. */
static int filter_light(struct source_read *r, struct threshold *t, size_t d)
{
	uint64_t bit = UINT64_C(1) << d;
	sqlite3_stmt *row = db_query(&r->view->db,
	    "SELECT filter FROM light_groups WHERE day = ?1", "i",
	    r->days[d].day);
	int err = db_step(&r->view->db, row, r->msg);
	size_t len = err == 1 ? (size_t)sqlite3_column_bytes(row, 0) : 0;
	struct group_filter filter = { NULL, len / 64 };
	if (len >= 64)
		filter.lines = xmemdup(sqlite3_column_blob(row, 0), len);
	db_reset(row);
	for (size_t i = 0; err >= 0 && i < t->item_count; i++) {
		struct source_candidate *c = &t->items[i];
		if (!(c->days & bit) && r->days[d].has_light &&
		    (!filter.lines || group_filter_has(&filter, &c->key)))
			c->maybe |= bit;
	}
	free(filter.lines);
	return err < 0 ? err : ERR_OK;
}

/* The candidates' rows, wherever they are. */
static int place_candidates(struct source_read *r, struct threshold *t)
{
	struct source_merge heavy = { 0 }, light = { 0 }, delta = { 0 };
	int err = ERR_OK;
	for (size_t d = 0; d < r->day_count; d++) {
		add_day(r, &heavy, d, true, false, false);
		add_day(r, &light, d, false, true, false);
	}
	if (r->count > 0)
		source_merge_add_array(&delta, r->sorted, r->count, -1);
	for (size_t d = 0; err == ERR_OK && d < r->day_count && d < 64; d++)
		err = filter_light(r, t, d);
	for (size_t i = 0; err == ERR_OK && i < t->item_count; i++) {
		const struct source_candidate *c = &t->items[i];
		for (size_t s = 0; err == ERR_OK && s < heavy.count; s++) {
			int d = heavy.streams[s].tag;
			if (d >= 64 || c->days >> d & 1)
				err = look_up(r, &heavy.streams[s], c);
		}
		for (size_t s = 0; err == ERR_OK && s < light.count; s++) {
			int d = light.streams[s].tag;
			if (d >= 64 || c->maybe >> d & 1)
				err = look_up(r, &light.streams[s], c);
		}
		if (err == ERR_OK && delta.count > 0)
			err = look_up(r, &delta.streams[0], c);
	}
	end_group(r);
	source_merge_fini(&heavy);
	source_merge_fini(&light);
	source_merge_fini(&delta);
	return err;
}

/* 1: sure; 0: everything must be read. */
static int read_by_threshold(struct source_read *r)
{
	struct threshold t = { .most = r->places };
	t.places = xcalloc(r->places + 1, sizeof(*t.places));
	int err = sum_heavy(r, &t);
	if (err == 0 &&
	    (last_place(&t) > unseen_most(r) || unseen_most(r) == 0)) {
		drop_hopeless(&t);
		err = place_candidates(r, &t);
		if (err == ERR_OK)
			err = 1;
	}
	free(t.places);
	free(t.items);
	return err;
}

static int read_whole_days(struct source_read *r)
{
	int64_t from = view_first_bin(r->plan, DAY_S);
	int64_t end = view_end_bin(r->plan);
	end += (DAY_S - end % DAY_S) % DAY_S;
	int err = list_days(r, from, end);
	if (err == 0)
		err = read_delta(r, from, end);
	if (err == 0)
		err = read_bounds(r);
	if (err < 0)
		return err;
	sort_matches(r);
	/* One source or a prefix: its own rows are the fewest. */
	if (!r->ranged)
		err = read_by_threshold(r);
	if (err == 0)
		err = read_all_days(r);
	return err < 0 ? err : ERR_OK;
}

/* --- the answer --- */
static int cmp_places(const void *a, const void *b)
{
	const struct source_group *x = a, *y = b;
	return is_before(&x->sum, &y->sum) ? -1 : is_before(&y->sum, &x->sum);
}

static int give_places(struct source_read *r, store_row_fn *fn, void *ctx)
{
	int err = ERR_OK;
	if (r->top_count > 1)
		qsort(r->top, r->top_count, sizeof(*r->top), cmp_places);
	for (size_t i = r->plan->offset; err == ERR_OK && i < r->top_count;
	     i++) {
		const struct source_group *g = &r->top[i];
		const struct source_row *sum = &g->sum;
		const struct class_info *class = &r->classes[sum->key.class];
		const struct store_source source = {
			.src = source_key_addr(&sum->key),
			.verdict = class->verdict,
			.signature = class->signature,
			.proto = sum->key.proto,
			.dport = sum->key.dport,
			.packets = sum->packets,
			.targets = sum->targets,
			.first_ns = sum->first_ns,
			.last_ns = sum->last_ns,
			.agents = g->agents,
			.agent_count = g->agent_count,
			.payload_hash = { sum->payload,
			    sum->has_payload ? sizeof(sum->payload) : 0 },
			.spoofable = sum->spoofable,
		};
		const struct store_row out = { STORE_SOURCES,
			{ .source = &source } };
		err = fn(ctx, &out);
	}
	return err;
}

static void free_read(struct source_read *r)
{
	for (size_t i = 0; i < r->class_count; i++) {
		free(r->classes[i].verdict);
		free(r->classes[i].signature);
	}
	for (size_t i = 0; i < r->top_count; i++)
		free(r->top[i].agents);
	free(r->under_way.agents);
	free(r->classes);
	free(r->top);
	free(r->rows);
	free(r->sorted);
	free(r->days);
	free(r->light);
}

int view_read_sources(struct rollup_view *view, const struct store_plan *plan,
    store_row_fn *fn, void *ctx, struct errmsg *msg)
{
	struct part_list parts = { 0 };
	bool fine = false;
	struct source_read r = {
		.view = view,
		.plan = plan,
		.msg = msg,
		.from_ns = plan->range.from_ns,
		.to_ns = plan->range.to_ns ? plan->range.to_ns : INT64_MAX,
		.fine_s = view->gather->levels[0],
		.places = plan->limit ? (size_t)plan->offset + plan->limit
				      : gather_sizes.fine_rows,
	};
	set_range(&r);
	int err = read_classes(&r);
	if (err < 0)
		goto out;
	err = choose_fine(&r, &parts, &fine);
	if (err < 0)
		goto out;
	err = fine ? read_fine(&r, &parts) : read_whole_days(&r);
	if (err == ERR_OK)
		err = give_places(&r, fn, ctx);
out:
	part_list_fini(&parts);
	free_read(&r);
	return err;
}
