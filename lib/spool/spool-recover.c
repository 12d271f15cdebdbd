/* SPDX-License-Identifier: ISC */
/*
 * A folder after a crash, made whole.  Nothing here gives up on a folder
 * because one file in it is bad: what cannot be repaired is left for the
 * reader, which takes only frames that check, and what is missing shows in
 * the numbers.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/spool/spool-segment.h"
#include "lib/base/xalloc.h"

struct recovery {
	struct spool_found *found;
	const struct spool_config *config;
	const struct spool_io *io;
	struct spool_place acked;
	struct dirent **names; /* ordered: segments by place */
	int name_count;
};

/* One segment under inspection. */
struct subject {
	const char *file_name;
	struct spool_segment segment;
	struct buf bytes;
	struct buf salvage; /* header and the valid frames */
	struct spool_ranges present, corrupt_spans;
	bool corrupt, doomed;
	uint64_t until; /* from here on the class's next segment counts */
	size_t valid_end;
};

void spool_found_fini(struct spool_found *found)
{
	spool_segments_fini(&found->segments);
	spool_ranges_fini(&found->present);
	spool_ranges_fini(&found->declared);
	spool_ranges_fini(&found->corrupt);
}

static void remove_file(const struct recovery *r, const char *name)
{
	char *path = xasprintf("%s/%s", r->config->dir, name);
	r->io->unlink(r->io->ctx, path);
	free(path);
}

/* Puts the whole file aside under NAME.bad. */
static void set_aside(struct recovery *r, const char *name, uint64_t bytes)
{
	char *from = xasprintf("%s/%s", r->config->dir, name);
	char *to = xasprintf("%s/%s.bad", r->config->dir, name);
	if (r->io->rename(r->io->ctx, from, to) == 0) {
		r->found->quarantine_bytes += bytes;
		r->found->quarantined++;
	}
	free(from);
	free(to);
}

/* Keeps a copy as NAME.bad, then puts what is valid in the file's place: at
 * no moment is the name without its valid records. */
static void quarantine(struct recovery *r, struct subject *s)
{
	char *bad = xasprintf("%s.bad", s->file_name);
	if (spool_file_replace(r->io, r->config->dir, bad, &s->bytes, NULL) ==
	    0)
		r->found->quarantine_bytes += s->bytes.len;
	free(bad);
	r->found->quarantined++;
	if (spool_file_replace(
		r->io, r->config->dir, s->file_name, &s->salvage, NULL) == 0)
		s->segment.bytes = s->salvage.len;
}

static void cut_tail(struct recovery *r, struct subject *s)
{
	char *path = xasprintf("%s/%s", r->config->dir, s->file_name);
	int fd = r->io->open(r->io->ctx, path, O_WRONLY, 0);
	if (fd >= 0) {
		if (r->io->ftruncate(r->io->ctx, fd, (int64_t)s->valid_end) ==
		    0)
			s->segment.bytes = s->valid_end;
		r->io->close(r->io->ctx, fd);
	}
	r->found->torn++;
	free(path);
}

static void note_frame(const struct recovery *r, struct subject *s,
    const struct spool_frame *frame, bool damaged, uint32_t seed)
{
	uint64_t epoch = s->segment.name.first.epoch;
	struct spool_range seen = { epoch, frame->seq, frame->seq, 0 };
	struct spool_range gone = { epoch, s->segment.last_seq + 1,
		frame->seq - 1, SPOOL_REASON_CORRUPT };
	struct spool_place at = { epoch, frame->seq };
	spool_ranges_add(&s->present, &seen);
	if (damaged) {
		s->corrupt = true;
		if (gone.from <= gone.to)
			spool_ranges_add(&s->corrupt_spans, &gone);
	}
	/* Declared lost and yet there: the segment was being dropped when the
	 * power went. */
	if (spool_place_cmp(at, r->acked) >= 0 &&
	    spool_ranges_overlap(&r->found->declared, &seen))
		s->doomed = true;
	s->segment.last_seq = frame->seq;
	spool_frame_put(&s->salvage, seed, frame);
}

static void scan_frames(
    const struct recovery *r, struct subject *s, size_t offset)
{
	const struct spool_name *name = &s->segment.name;
	uint32_t seed = spool_seed(r->config->agent, name->first.epoch);
	struct spool_scan scan =
	    spool_scan_init(s->bytes.data, s->bytes.len, offset, seed);
	struct spool_frame frame;
	scan.last_seq = name->first.seq - 1;
	spool_header_put(&s->salvage, r->config->agent, name);
	s->valid_end = scan.valid_end;
	while (spool_scan_next(&scan, &frame) && frame.seq < s->until) {
		note_frame(r, s, &frame, scan.damaged, seed);
		s->valid_end = scan.valid_end;
	}
}

/* After a failed sync a segment's end is written again to the next one, whose
 * word it is then. */
static uint64_t until_find(
    const struct recovery *r, const struct spool_name *name)
{
	struct spool_name n;
	for (int i = 0; i < r->name_count; i++)
		if (spool_name_parse(&n, r->names[i]->d_name) &&
		    n.class == name->class &&
		    n.first.epoch == name->first.epoch &&
		    n.first.seq > name->first.seq)
			return n.first.seq;
	return UINT64_MAX;
}

/* Where the frames begin: behind the header, or right at the start when the
 * header is damaged and there is something to look for. */
static int header_check(struct recovery *r, struct subject *s, size_t *offset)
{
	struct spool_name in_header;
	uint8_t agent[16];
	int err =
	    spool_header_read(s->bytes.data, s->bytes.len, agent, &in_header);
	*offset = err ? 0 : SPOOL_HEADER_LEN;
	if (err == ERR_CORRUPT || err == ERR_TRUNCATED)
		return 0;
	if (err)
		return err;
	if (memcmp(agent, r->config->agent, 16) != 0) {
		r->found->foreign = true;
		return ERR_UNKNOWN_AGENT;
	}
	const struct spool_name *name = &s->segment.name;
	return spool_place_cmp(in_header.first, name->first) != 0 ||
		in_header.class != name->class
	    ? ERR_CORRUPT
	    : 0;
}

static void subject_repair(struct recovery *r, struct subject *s, bool headed)
{
	struct spool_segment *segment = &s->segment;
	struct spool_place last = { segment->name.first.epoch,
		segment->last_seq };
	bool empty = last.seq < segment->name.first.seq;
	bool tail = s->valid_end < s->bytes.len;
	if (empty && !headed && s->bytes.len > SPOOL_HEADER_LEN) {
		set_aside(r, s->file_name, s->bytes.len);
	} else if (empty || s->doomed || spool_place_cmp(last, r->acked) < 0) {
		r->found->torn += empty && headed && tail;
		remove_file(r, s->file_name);
	} else {
		if (s->corrupt || !headed)
			quarantine(r, s);
		else if (tail)
			cut_tail(r, s);
		spool_segments_add(&r->found->segments, segment);
		for (size_t i = 0; i < s->present.count; i++)
			spool_ranges_add(
			    &r->found->present, &s->present.list[i]);
	}
	for (size_t i = 0; i < s->corrupt_spans.count; i++)
		spool_ranges_add(&r->found->corrupt, &s->corrupt_spans.list[i]);
}

static void segment_recover(
    struct recovery *r, const char *file_name, const struct spool_name *name)
{
	struct subject s = { .file_name = file_name };
	size_t offset;
	s.segment.name = *name;
	s.segment.last_seq = name->first.seq - 1;
	s.until = until_find(r, name);
	if (name->first.epoch > r->found->epoch_max)
		r->found->epoch_max = name->first.epoch;
	if (name->first.seq == 0 ||
	    spool_file_read(r->config->dir, file_name, &s.bytes, NULL) != 0 ||
	    header_check(r, &s, &offset) != 0) {
		set_aside(r, file_name, s.bytes.len);
	} else {
		s.segment.bytes = s.bytes.len;
		scan_frames(r, &s, offset);
		subject_repair(r, &s, offset > 0);
	}
	spool_ranges_fini(&s.present);
	spool_ranges_fini(&s.corrupt_spans);
	buf_fini(&s.bytes);
	buf_fini(&s.salvage);
}

/* What gap records declare must be known before anything is judged. */
static void declared_read(struct recovery *r, const char *file_name)
{
	struct spool_name name;
	struct buf bytes = { 0 };
	struct spool_frame frame;
	if (!spool_name_parse(&name, file_name) || name.class != SPOOL_ALERTS ||
	    spool_file_read(r->config->dir, file_name, &bytes, NULL) != 0)
		return;
	struct spool_scan scan = spool_scan_init(bytes.data, bytes.len, 0,
	    spool_seed(r->config->agent, name.first.epoch));
	while (spool_scan_next(&scan, &frame))
		if (frame.flags & SPOOL_FLAG_GAP)
			spool_gap_read(
			    &r->found->declared, frame.payload, frame.len);
	buf_fini(&bytes);
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);
	return n >= m && strcmp(text + n - m, end) == 0;
}

static uint64_t size_of(const char *dir, const char *name)
{
	struct stat st;
	char *path = xasprintf("%s/%s", dir, name);
	uint64_t size = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
	free(path);
	return size;
}

static void entry_recover(struct recovery *r, const char *name)
{
	struct spool_name segment;
	if (ends_with(name, ".tmp"))
		remove_file(r, name);
	else if (ends_with(name, ".bad"))
		r->found->quarantine_bytes += size_of(r->config->dir, name);
	else if (spool_name_parse(&segment, name))
		segment_recover(r, name, &segment);
}

int spool_recover(struct spool_found *found, const struct spool_config *config,
    struct spool_place acked, struct errmsg *msg)
{
	*found = (struct spool_found){ 0 };
	struct recovery r = { found, config,
		config->io ? config->io : &spool_io_posix, acked, NULL, 0 };
	r.name_count = scandir(config->dir, &r.names, NULL, alphasort);
	if (r.name_count < 0) {
		int err = -errno;
		return err_set(
		    msg, err, "%.200s: %s", config->dir, err_str(err));
	}
	for (int i = 0; i < r.name_count; i++)
		declared_read(&r, r.names[i]->d_name);
	spool_ranges_join(&found->declared);
	for (int i = 0; i < r.name_count; i++)
		entry_recover(&r, r.names[i]->d_name);
	for (int i = 0; i < r.name_count; i++)
		free(r.names[i]);
	free(r.names);
	spool_ranges_join(&found->present);
	spool_ranges_join(&found->corrupt);
	return 0;
}
