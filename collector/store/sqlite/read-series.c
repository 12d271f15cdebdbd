/* SPDX-License-Identifier: ISC */
/* Reading the rollups: paths, series, sources. */
#include <string.h>

#include "collector/store/sqlite/provider.h"

static int next(struct store_reader *reader, sqlite3_stmt *row)
{
	return db_step(&reader->db, row, &reader->msg);
}

static int ended(sqlite3_stmt *row, int err)
{
	db_reset(row);
	return err;
}

static struct store_bytes column_bytes(sqlite3_stmt *row, int column)
{
	const uint8_t *data = sqlite3_column_blob(row, column);
	return (struct store_bytes){ data,
		data ? (size_t)sqlite3_column_bytes(row, column) : 0 };
}

/* The first bin that ends after `from`, and the first that starts at `to` or
 * after it. */
static int64_t first_bin(const struct store_filter *filter)
{
	int64_t s = filter->range.from_ns / NS_PER_S;
	return s - s % filter->bin_s;
}

static int64_t end_bin(const struct store_filter *filter)
{
	return (filter->range.to_ns + NS_PER_S - 1) / NS_PER_S;
}

int sqlite_read_paths(struct store_reader *reader,
    const struct store_filter *filter, store_path_fn *fn, void *ctx)
{
	sqlite3_stmt *row = db_query(&reader->db,
	    "SELECT p.id, p.agent, b.bin, a.agent, p.src, p.dst, b.traces,"
	    " b.reached, b.first_ns, b.last_ns, p.hops, b.sums"
	    " FROM path_bins b CROSS JOIN paths p ON p.id = b.path"
	    " CROSS JOIN agents a ON a.id = p.agent"
	    " WHERE b.bin_s = ?1 AND b.bin >= ?2 AND b.bin < ?3"
	    " AND (?4 = 0 OR p.agent = ?4)"
	    " AND (?5 IS NULL OR"
	    "  b.path IN (SELECT path FROM path_hops WHERE addr = ?5))"
	    " ORDER BY b.bin, b.path",
	    "iiiia", (int64_t)filter->bin_s, first_bin(filter), end_bin(filter),
	    filter->agent_row, &filter->hop);
	int err;
	while ((err = next(reader, row)) == 1) {
		struct store_path path = {
			.row = sqlite3_column_int64(row, 0),
			.agent_row = sqlite3_column_int64(row, 1),
			.bin = sqlite3_column_int64(row, 2),
			.src = db_column_addr(row, 4),
			.dst = db_column_addr(row, 5),
			.traces = (uint64_t)sqlite3_column_int64(row, 6),
			.reached = (uint64_t)sqlite3_column_int64(row, 7),
			.first_ns = sqlite3_column_int64(row, 8),
			.last_ns = sqlite3_column_int64(row, 9),
			.hops = column_bytes(row, 10),
			.sums = column_bytes(row, 11),
		};
		db_column_copy(row, 3, path.agent, sizeof(path.agent));
		if ((err = fn(ctx, &path)) != 0)
			break;
	}
	return ended(row, err);
}

int sqlite_read_points(struct store_reader *reader,
    const struct store_filter *filter, store_point_fn *fn, void *ctx)
{
	sqlite3_stmt *row = db_query(&reader->db,
	    "SELECT s.kind, s.agent, s.bin, s.sources, s.packets"
	    " FROM kinds k CROSS JOIN"
	    " (SELECT 0 AS id UNION ALL SELECT id FROM agents) a"
	    " CROSS JOIN series s"
	    "  ON s.bin_s = ?1 AND s.kind = k.id AND s.agent = a.id"
	    "  AND s.bin >= ?2 AND s.bin < ?3"
	    " WHERE (?4 = 0 OR k.id = ?4) AND (?5 = -1 OR a.id = ?5)"
	    " ORDER BY k.id, a.id, s.bin",
	    "iiiii", (int64_t)filter->bin_s, first_bin(filter), end_bin(filter),
	    filter->kind_row, filter->agent_row);
	int err;
	while ((err = next(reader, row)) == 1) {
		struct store_point point = {
			.kind_row = sqlite3_column_int64(row, 0),
			.agent_row = sqlite3_column_int64(row, 1),
			.bin = sqlite3_column_int64(row, 2),
			.sources = (uint64_t)sqlite3_column_int64(row, 3),
			.packets = (uint64_t)sqlite3_column_int64(row, 4),
		};
		if ((err = fn(ctx, &point)) != 0)
			break;
	}
	return ended(row, err);
}

int sqlite_read_watch(struct store_reader *reader,
    const struct store_filter *filter, store_watch_fn *fn, void *ctx)
{
	sqlite3_stmt *row = db_query(&reader->db,
	    "SELECT agent, bin FROM watch WHERE bin_s = ?1 AND bin >= ?2"
	    " AND bin < ?3 ORDER BY bin",
	    "iii", (int64_t)filter->bin_s, first_bin(filter), end_bin(filter));
	int err;
	while ((err = next(reader, row)) == 1) {
		struct store_watch watch = {
			.agent_row = sqlite3_column_int64(row, 0),
			.bin = sqlite3_column_int64(row, 1),
		};
		if ((err = fn(ctx, &watch)) != 0)
			break;
	}
	return ended(row, err);
}

int sqlite_read_kinds(struct store_reader *reader,
    const struct store_filter *filter, store_kind_fn *fn, void *ctx)
{
	sqlite3_stmt *row = db_query(&reader->db,
	    "SELECT id, verdict, signature, sources, packets, first_ns,"
	    " last_ns FROM kinds WHERE (?1 = 0 OR id = ?1)"
	    " AND (?2 IS NULL OR signature = ?2)"
	    " AND (?3 IS NULL OR verdict = ?3) ORDER BY id",
	    "itt", filter->kind_row, filter->signature, filter->verdict);
	int err;
	while ((err = next(reader, row)) == 1) {
		struct store_kind kind = {
			.row = sqlite3_column_int64(row, 0),
			.verdict = db_column_text(row, 1),
			.signature = db_column_text(row, 2),
			.sources = (uint64_t)sqlite3_column_int64(row, 3),
			.packets = (uint64_t)sqlite3_column_int64(row, 4),
			.first_ns = sqlite3_column_int64(row, 5),
			.last_ns = sqlite3_column_int64(row, 6),
		};
		if ((err = fn(ctx, &kind)) != 0)
			break;
	}
	return ended(row, err);
}

int sqlite_count_sources(struct store_reader *reader,
    const struct store_filter *filter, uint32_t most, uint32_t *rows)
{
	int64_t count;
	int err = db_integer(&reader->db, &count, 0,
	    "SELECT count(*) FROM (SELECT 1 FROM sources WHERE bin_s = ?1"
	    " AND bin >= ?2 AND bin < ?3 LIMIT ?4)",
	    "iiii", (int64_t)filter->bin_s, first_bin(filter), end_bin(filter),
	    (int64_t)most);
	*rows = (uint32_t)count;
	return err;
}

int sqlite_read_sources(struct store_reader *reader,
    const struct store_filter *filter, store_source_fn *fn, void *ctx)
{
	sqlite3_stmt *row = db_query(&reader->db,
	    "SELECT s.src, k.verdict, k.signature, s.proto, s.dport,"
	    " sum(s.packets) AS total, max(s.targets), min(s.first_ns),"
	    " max(s.last_ns), group_concat(DISTINCT lower(hex(a.agent))),"
	    " max(s.payload), min(s.spoofable)"
	    " FROM sources s JOIN kinds k ON k.id = s.kind"
	    " JOIN agents a ON a.id = s.agent"
	    " WHERE s.bin_s = ?1 AND s.bin >= ?2 AND s.bin < ?3"
	    " AND s.last_ns >= ?10 AND s.first_ns < ?11"
	    " AND (?4 = 0 OR s.agent = ?4) AND (?5 IS NULL OR s.src = ?5)"
	    " AND (?6 IS NULL OR k.signature = ?6)"
	    " AND (?7 IS NULL OR k.verdict = ?7)"
	    " GROUP BY s.kind, s.src, s.proto, s.dport"
	    " ORDER BY total DESC, s.src, s.kind, s.proto, s.dport"
	    " LIMIT ?8 OFFSET ?9",
	    "iiiiattiiii", (int64_t)filter->bin_s, first_bin(filter),
	    end_bin(filter), filter->agent_row, &filter->src, filter->signature,
	    filter->verdict, (int64_t)filter->limit, (int64_t)filter->offset,
	    filter->range.from_ns, filter->range.to_ns);
	int err;
	while ((err = next(reader, row)) == 1) {
		struct store_source source = {
			.src = db_column_addr(row, 0),
			.verdict = db_column_text(row, 1),
			.signature = db_column_text(row, 2),
			.proto = (uint32_t)sqlite3_column_int(row, 3),
			.dport = (uint32_t)sqlite3_column_int(row, 4),
			.packets = (uint64_t)sqlite3_column_int64(row, 5),
			.targets = (uint64_t)sqlite3_column_int64(row, 6),
			.first_ns = sqlite3_column_int64(row, 7),
			.last_ns = sqlite3_column_int64(row, 8),
			.agents = db_column_text(row, 9),
			.payload_hash = column_bytes(row, 10),
			.spoofable = sqlite3_column_int(row, 11) != 0,
		};
		if ((err = fn(ctx, &source)) != 0)
			break;
	}
	return ended(row, err);
}
