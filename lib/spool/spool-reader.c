/* SPDX-License-Identifier: ISC */
/*
 * The reading half.  One cursor a class walks that class's segments, and the
 * run of numbers is merged from the three.  The writer writes in the order of
 * the numbers, so a number that no class shows while a higher one is there is
 * gone; but only if it is looked for after the higher one was seen, and no
 * segment came or was replaced during that look.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/spool/spool-segment.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

enum { CHUNK_BYTES = 2 * SPOOL_FRAME_MAX };

struct cursor {
	struct spool_name name; /* of the segment it is in */
	int fd;                 /* -1: in none */
	ino_t inode;
	uint32_t seed;
	uint64_t offset; /* of the chunk in the file */
	struct buf chunk;
	size_t pos; /* in the chunk, behind the last frame */
	uint64_t last_seq;
	uint64_t until; /* from here on the class's next segment counts */
	bool ready;     /* frame holds the next one */
	struct spool_frame frame;
};

struct spool_reader {
	char *dir;
	struct spool_name *names; /* of all segments, ordered by place */
	size_t name_count;
	struct cursor cursors[SPOOL_CLASSES];
	struct spool_place want; /* behind what was read last */
};

static void cursor_close(struct cursor *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->ready = false;
}

/* --- the folder ----------------------------------------------------------- */

static int name_cmp(const void *a, const void *b)
{
	const struct spool_name *x = a, *y = b;
	int cmp = spool_place_cmp(x->first, y->first);
	return cmp ? cmp : (int)x->class - (int)y->class;
}

static int name_open(const struct spool_reader *r,
    const struct spool_name *name, struct stat *st)
{
	char text[SPOOL_NAME_LEN];
	spool_name_text(name, text);
	char *path = xasprintf("%s/%s", r->dir, text);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	free(path);
	if (fd >= 0 && fstat(fd, st) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* After a failed sync a segment's end is written again to the next one, whose
 * word it is then. */
static uint64_t until_find(
    const struct spool_reader *r, const struct spool_name *name)
{
	for (size_t i = 0; i < r->name_count; i++) {
		const struct spool_name *n = &r->names[i];
		if (n->class == name->class &&
		    n->first.epoch == name->first.epoch &&
		    n->first.seq > name->first.seq)
			return n->first.seq;
	}
	return UINT64_MAX;
}

/* A name may belong to another file now: the writer has put what is good in
 * its place.  True when that is so for any. */
static bool cursors_check(struct spool_reader *r)
{
	bool changed = false;
	for (int i = 0; i < SPOOL_CLASSES; i++) {
		struct cursor *c = &r->cursors[i];
		struct stat st;
		if (c->fd < 0)
			continue;
		c->until = until_find(r, &c->name);
		int fd = name_open(r, &c->name, &st);
		if (fd < 0)
			continue; /* removed: what we hold is all there is */
		close(fd);
		if (st.st_ino == c->inode)
			continue;
		cursor_close(c);
		changed = true;
	}
	return changed;
}

/* Is there a name that was not there before?  Both are ordered. */
static bool names_came(const struct spool_name *now, size_t now_count,
    const struct spool_name *before, size_t before_count)
{
	size_t k = 0;
	for (size_t i = 0; i < now_count; i++) {
		while (k < before_count && name_cmp(&before[k], &now[i]) < 0)
			k++;
		if (k == before_count || name_cmp(&before[k], &now[i]) != 0)
			return true;
	}
	return false;
}

/* changed: since the last look a segment came, or took another's place. */
static int names_refresh(
    struct spool_reader *r, bool *changed, struct errmsg *msg)
{
	DIR *dir = opendir(r->dir);
	struct dirent *entry;
	struct spool_name name, *names = NULL;
	size_t count = 0;
	if (!dir) {
		int err = -errno;
		return err_set(
		    msg, err, "spool %.150s: %s", r->dir, err_str(err));
	}
	while ((entry = readdir(dir))) {
		if (!spool_name_parse(&name, entry->d_name))
			continue;
		VEC_ROOM(names, count);
		names[count++] = name;
	}
	closedir(dir);
	if (count)
		qsort(names, count, sizeof(*names), name_cmp);
	*changed = names_came(names, count, r->names, r->name_count);
	free(r->names);
	r->names = names;
	r->name_count = count;
	if (cursors_check(r))
		*changed = true;
	return 0;
}

/* --- one cursor ----------------------------------------------------------- */

/* False while its header is not there, or for good when it is bad. */
static bool cursor_open(
    const struct spool_reader *r, struct cursor *c, const struct spool_name *n)
{
	uint8_t header[SPOOL_HEADER_LEN], agent[16];
	struct spool_name in_header;
	struct stat st;
	cursor_close(c);
	int fd = name_open(r, n, &st);
	if (fd < 0)
		return false;
	ssize_t got = pread(fd, header, sizeof(header), 0);
	if (got < 0 ||
	    spool_header_read(header, (size_t)got, agent, &in_header) != 0) {
		close(fd);
		return false;
	}
	c->fd = fd;
	c->inode = st.st_ino;
	c->name = *n;
	c->seed = spool_seed(agent, n->first.epoch);
	c->offset = SPOOL_HEADER_LEN;
	c->pos = 0;
	c->last_seq = 0;
	c->until = until_find(r, n);
	buf_clear(&c->chunk);
	return true;
}

/* Opens the first usable segment of the class from index i on. */
static bool cursor_open_from(
    const struct spool_reader *r, struct cursor *c, int class, size_t i)
{
	for (; i < r->name_count; i++)
		if ((int)r->names[i].class == class &&
		    cursor_open(r, c, &r->names[i]))
			return true;
	return false;
}

/* The segment that may hold the place: the last that starts at or before it,
 * or else the next. */
static bool cursor_seek(const struct spool_reader *r, struct cursor *c,
    int class, struct spool_place want)
{
	size_t at = 0;
	for (size_t i = 0; i < r->name_count; i++)
		if ((int)r->names[i].class == class &&
		    spool_place_cmp(r->names[i].first, want) <= 0)
			at = i;
	return cursor_open_from(r, c, class, at);
}

static bool cursor_advance(
    const struct spool_reader *r, struct cursor *c, int class)
{
	struct cursor next = { .fd = -1 };
	for (size_t i = 0; i < r->name_count; i++) {
		if (spool_place_cmp(r->names[i].first, c->name.first) <= 0)
			continue;
		if (!cursor_open_from(r, &next, class, i))
			return false;
		next.chunk = c->chunk;
		buf_clear(&next.chunk);
		close(c->fd);
		*c = next;
		return true;
	}
	return false;
}

static void cursor_fill(struct cursor *c)
{
	c->offset += c->pos;
	c->pos = 0;
	buf_clear(&c->chunk);
	uint8_t *to = buf_extend(&c->chunk, CHUNK_BYTES);
	ssize_t n = pread(c->fd, to, CHUNK_BYTES, (off_t)c->offset);
	c->chunk.len = n > 0 ? (size_t)n : 0;
}

static bool cursor_take(struct cursor *c)
{
	struct reader in =
	    reader_init(c->chunk.data + c->pos, c->chunk.len - c->pos);
	if (c->chunk.len == c->pos ||
	    spool_frame_read(&c->frame, &in, c->seed) != 0)
		return false;
	c->pos = (size_t)(in.pos - c->chunk.data);
	c->last_seq = c->frame.seq;
	c->ready = true;
	return true;
}

/* Steps over bytes that do not check, to the next frame that does.  At the
 * end of the file it stays: the bytes may be a frame that is being written. */
static bool cursor_resync(struct cursor *c)
{
	for (;;) {
		struct spool_scan scan = spool_scan_init(
		    c->chunk.data + c->pos, c->chunk.len - c->pos, 0, c->seed);
		scan.last_seq = c->last_seq;
		if (spool_scan_next(&scan, &c->frame)) {
			c->pos = (size_t)(scan.r.pos - c->chunk.data);
			c->last_seq = c->frame.seq;
			c->ready = true;
			return true;
		}
		if (c->chunk.len < CHUNK_BYTES)
			return false;
		c->pos = c->chunk.len - SPOOL_FRAME_MAX;
		cursor_fill(c);
	}
}

static bool cursor_parse(struct cursor *c)
{
	if (c->chunk.len > c->pos && cursor_take(c))
		return true;
	cursor_fill(c);
	if (cursor_take(c))
		return true;
	uint64_t offset = c->offset;
	if (c->chunk.len < SPOOL_FRAME_EXTRA)
		return false;
	if (cursor_resync(c))
		return true;
	c->offset = offset;
	c->pos = 0;
	buf_clear(&c->chunk);
	return false;
}

static struct spool_place cursor_place(const struct cursor *c)
{
	return (struct spool_place){ c->name.first.epoch, c->frame.seq };
}

/* Makes the class's first frame at or after the place ready, if it is there. */
static bool cursor_peek(
    struct spool_reader *r, int class, struct spool_place want)
{
	struct cursor *c = &r->cursors[class];
	if (c->fd < 0 && !cursor_seek(r, c, class, want))
		return false;
	for (;;) {
		bool here = c->ready && c->frame.seq < c->until;
		if (here && spool_place_cmp(cursor_place(c), want) >= 0)
			return true;
		bool over = c->ready && !here;
		c->ready = false;
		if ((over || !cursor_parse(c)) && !cursor_advance(r, c, class))
			return false;
	}
}

/* --- the run -------------------------------------------------------------- */

int spool_reader_open(
    struct spool_reader **reader, const char *dir, struct errmsg *msg)
{
	struct spool_reader *r = xcalloc(1, sizeof(*r));
	r->dir = xstrdup(dir);
	for (int i = 0; i < SPOOL_CLASSES; i++)
		r->cursors[i].fd = -1;
	bool changed;
	int err = names_refresh(r, &changed, msg);
	if (err) {
		spool_reader_close(r);
		r = NULL;
	}
	*reader = r;
	return err;
}

void spool_reader_close(struct spool_reader *reader)
{
	if (!reader)
		return;
	for (int i = 0; i < SPOOL_CLASSES; i++) {
		cursor_close(&reader->cursors[i]);
		buf_fini(&reader->cursors[i].chunk);
	}
	free(reader->names);
	free(reader->dir);
	free(reader);
}

/* The first record at or after the place; false when there is none. */
static bool first_find(
    struct spool_reader *r, struct spool_place want, struct spool_place *first)
{
	bool found = false;
	for (int i = 0; i < SPOOL_CLASSES; i++) {
		if (!cursor_peek(r, i, want))
			continue;
		struct spool_place at = cursor_place(&r->cursors[i]);
		if (!found || spool_place_cmp(at, *first) < 0)
			*first = at;
		found = true;
	}
	return found;
}

/* The same, when it can be trusted that nothing before it will come. */
static int first_settled(struct spool_reader *r, struct spool_place want,
    struct spool_place *first, struct errmsg *msg)
{
	bool found = first_find(r, want, first), settled = false, changed;
	while (!found || spool_place_cmp(*first, want) != 0) {
		int err = names_refresh(r, &changed, msg);
		if (err)
			return err;
		if (settled && !changed)
			break;
		struct spool_place before = *first;
		bool had = found;
		found = first_find(r, want, first);
		if (!found)
			return ERR_EOF;
		settled = had && spool_place_cmp(before, *first) == 0;
	}
	return 0;
}

static struct cursor *cursor_at(
    struct spool_reader *r, struct spool_place place)
{
	for (int i = 0; i < SPOOL_CLASSES; i++) {
		struct cursor *c = &r->cursors[i];
		if (c->ready && spool_place_cmp(cursor_place(c), place) == 0)
			return c;
	}
	return NULL;
}

static void run_read(struct spool_reader *r, uint32_t max_count,
    size_t max_bytes, struct spool_run *run, struct buf *to)
{
	size_t start = to->len;
	struct cursor *c;
	while (run->count < max_count && (c = cursor_at(r, r->want))) {
		size_t len = 4 + (size_t)c->frame.len;
		if (run->count && to->len - start + len > max_bytes)
			return;
		buf_be32(to, c->frame.len);
		buf_bytes(to, c->frame.payload, c->frame.len);
		run->count++;
		r->want.seq++;
		cursor_peek(r, (int)(c - r->cursors), r->want);
	}
}

int spool_reader_next(struct spool_reader *reader,
    const struct spool_want *want, struct spool_run *run, struct buf *to,
    struct errmsg *msg)
{
	struct spool_place from = { want->epoch, want->seq }, first = from;
	if (spool_place_cmp(from, reader->want) != 0)
		for (int i = 0; i < SPOOL_CLASSES; i++)
			cursor_close(&reader->cursors[i]);
	reader->want = from;
	int err = first_settled(reader, from, &first, msg);
	if (err || want->max_count == 0)
		return err ? err : ERR_EOF;
	reader->want = first;
	*run = (struct spool_run){ first.epoch, first.seq, 0 };
	run_read(reader, want->max_count, want->max_bytes, run, to);
	return 0;
}

int spool_reader_acked(struct spool_reader *reader, uint64_t *epoch,
    uint64_t *next_seq, struct errmsg *msg)
{
	struct spool_place place;
	if (spool_mark_read(reader->dir, "ack", &place, NULL) != 0) {
		bool changed;
		int err = names_refresh(reader, &changed, msg);
		if (err)
			return err;
		for (int i = 0; i < SPOOL_CLASSES; i++)
			cursor_close(&reader->cursors[i]);
		reader->want = (struct spool_place){ 0, 0 };
		if (!first_find(reader, reader->want, &place))
			return err_set(msg, ERR_NOT_FOUND,
			    "spool %.150s: empty", reader->dir);
	}
	*epoch = place.epoch;
	*next_seq = place.seq;
	return 0;
}
