/* SPDX-License-Identifier: ISC */
/* The bytes of a spool; the diagrams are in lib/spool/spool-format.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/crc32c.h"
#include "lib/spool/spool-format.h"
#include "lib/base/xalloc.h"

enum { VERSION = 1 };

static const uint8_t segment_magic[8] = "SONDESEG";
static const uint8_t mark_magic[8] = "SONDEMRK";

static void put_le(struct buf *to, uint64_t value, size_t len)
{
	uint8_t *at = buf_extend(to, len);
	for (size_t i = 0; i < len; i++, value >>= 8)
		at[i] = (uint8_t)value;
}

static void put_crc(struct buf *to, uint32_t seed, size_t from)
{
	put_le(to, crc32c(seed, to->data + from, to->len - from), 4);
}

void spool_name_text(
    const struct spool_name *name, char to[static SPOOL_NAME_LEN])
{
	snprintf(to, SPOOL_NAME_LEN, "%016" PRIx64 ".%016" PRIx64 ".%u.seg",
	    name->first.epoch, name->first.seq, (unsigned)name->class);
}

static bool hex16(const char **p, uint64_t *value)
{
	*value = 0;
	for (int i = 0; i < 16; i++, (*p)++) {
		char c = **p;
		if (c >= '0' && c <= '9')
			*value = *value << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*value = *value << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	return true;
}

bool spool_name_parse(struct spool_name *name, const char *text)
{
	const char *p = text;
	if (!hex16(&p, &name->first.epoch) || *p++ != '.' ||
	    !hex16(&p, &name->first.seq) || *p++ != '.' || *p < '0' ||
	    *p >= '0' + SPOOL_CLASSES)
		return false;
	name->class = (enum spool_class)(*p++ - '0');
	return strcmp(p, ".seg") == 0;
}

uint32_t spool_seed(const uint8_t agent[static 16], uint64_t epoch)
{
	struct buf b = { 0 };
	buf_bytes(&b, agent, 16);
	put_le(&b, epoch, 8);
	uint32_t seed = crc32c(0, b.data, b.len);
	buf_fini(&b);
	return seed;
}

void spool_header_put(struct buf *to, const uint8_t agent[static 16],
    const struct spool_name *name)
{
	size_t start = to->len;
	buf_bytes(to, segment_magic, sizeof(segment_magic));
	put_le(to, VERSION, 2);
	put_le(to, name->class, 2);
	put_le(to, 0, 4);
	buf_bytes(to, agent, 16);
	put_le(to, name->first.epoch, 8);
	put_le(to, name->first.seq, 8);
	put_crc(to, 0, start);
}

int spool_header_read(const void *bytes, size_t len, uint8_t agent[static 16],
    struct spool_name *name)
{
	struct reader r = reader_init(bytes, len);
	uint8_t magic[8];
	reader_copy(&r, magic, sizeof(magic));
	uint16_t version = reader_le16(&r);
	uint16_t class = reader_le16(&r);
	reader_skip(&r, 4);
	reader_copy(&r, agent, 16);
	name->first.epoch = reader_le64(&r);
	name->first.seq = reader_le64(&r);
	uint32_t crc = reader_le32(&r);
	if (r.err != ERR_OK)
		return r.err;
	if (crc != crc32c(0, bytes, SPOOL_HEADER_LEN - 4) ||
	    memcmp(magic, segment_magic, sizeof(magic)) != 0 ||
	    class >= SPOOL_CLASSES)
		return ERR_CORRUPT;
	name->class = (enum spool_class) class;
	return version == VERSION ? 0 : ERR_UNSUPPORTED;
}

/* The payload's checksum, then the number's: a right payload under a wrong
 * number does not check. */
static uint32_t payload_crc(uint32_t seed, const struct spool_frame *frame)
{
	uint8_t seq[8];
	for (int i = 0; i < 8; i++)
		seq[i] = (uint8_t)(frame->seq >> 8 * i);
	return crc32c(crc32c(seed, frame->payload, frame->len), seq, 8);
}

void spool_frame_put(
    struct buf *to, uint32_t seed, const struct spool_frame *frame)
{
	size_t start = to->len;
	put_le(to, frame->len, 4);
	put_le(to, frame->class, 2);
	put_le(to, frame->flags, 2);
	put_le(to, frame->seq, 8);
	put_le(to, (uint64_t)frame->mono.ns, 8);
	put_le(to, (uint64_t)frame->wall.ns, 8);
	put_crc(to, seed, start);
	buf_bytes(to, frame->payload, frame->len);
	put_le(to, payload_crc(seed, frame), 4);
}

/* The part before the payload; the reader moves past it when it checks. */
static int head_read(struct spool_frame *frame, struct reader *r, uint32_t seed)
{
	struct reader in = *r;
	uint32_t len = reader_le32(&in);
	uint16_t class = reader_le16(&in);
	uint16_t flags = reader_le16(&in);
	frame->seq = reader_le64(&in);
	frame->mono.ns = (int64_t)reader_le64(&in);
	frame->wall.ns = (int64_t)reader_le64(&in);
	const uint8_t *end = in.pos;
	uint32_t crc = reader_le32(&in);
	if (in.err != ERR_OK)
		return ERR_TRUNCATED;
	if (len > RECORD_MAX_BYTES || class >= SPOOL_CLASSES ||
	    flags > SPOOL_FLAG_GAP || frame->seq == 0 ||
	    frame->seq == UINT64_MAX ||
	    crc != crc32c(seed, r->pos, (size_t)(end - r->pos)))
		return ERR_CORRUPT;
	frame->class = (enum spool_class) class;
	frame->flags = flags;
	frame->len = len;
	*r = in;
	return 0;
}

int spool_frame_read(struct spool_frame *frame, struct reader *r, uint32_t seed)
{
	struct reader in = *r;
	int err = head_read(frame, &in, seed);
	if (err)
		return err;
	frame->payload = reader_bytes(&in, frame->len);
	uint32_t crc = reader_le32(&in);
	if (in.err != ERR_OK)
		return ERR_TRUNCATED;
	if (crc != payload_crc(seed, frame))
		return ERR_CORRUPT;
	*r = in;
	return 0;
}

struct spool_scan spool_scan_init(
    const uint8_t *bytes, size_t len, size_t offset, uint32_t seed)
{
	struct spool_scan scan = { .start = bytes, .seed = seed };
	scan.r = reader_init(bytes + (offset < len ? offset : len),
	    offset < len ? len - offset : 0);
	scan.valid_end = offset < len ? offset : len;
	return scan;
}

/* To where a frame may start again.  A bad payload is passed whole, so that
 * bytes in it that look like a frame are never taken for one; only behind a
 * bad head every byte may be the first. */
static void step(struct spool_scan *scan)
{
	struct spool_frame frame;
	struct reader in = scan->r;
	if (head_read(&frame, &in, scan->seed) != 0) {
		reader_skip(&scan->r, 1);
		return;
	}
	size_t rest = (size_t)frame.len + 4;
	reader_skip(&in, rest < reader_left(&in) ? rest : reader_left(&in));
	scan->r = in;
}

bool spool_scan_next(struct spool_scan *scan, struct spool_frame *frame)
{
	scan->damaged = false;
	while (reader_left(&scan->r) >= SPOOL_FRAME_EXTRA) {
		struct reader at = scan->r;
		if (spool_frame_read(frame, &scan->r, scan->seed) == 0 &&
		    frame->seq > scan->last_seq) {
			scan->last_seq = frame->seq;
			scan->valid_end = (size_t)(scan->r.pos - scan->start);
			return true;
		}
		scan->r = at;
		scan->damaged = true;
		step(scan);
	}
	return false;
}

void spool_mark_put(struct buf *to, struct spool_place place)
{
	size_t start = to->len;
	buf_bytes(to, mark_magic, sizeof(mark_magic));
	put_le(to, place.epoch, 8);
	put_le(to, place.seq, 8);
	put_crc(to, 0, start);
}

int spool_mark_read(const char *dir, const char *name,
    struct spool_place *place, struct errmsg *msg)
{
	uint8_t bytes[SPOOL_MARK_LEN + 1];
	char *path = xasprintf("%s/%s", dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = fd < 0 ? -errno : 0;
	ssize_t n = fd < 0 ? 0 : read(fd, bytes, sizeof(bytes));
	if (fd >= 0)
		close(fd);
	struct reader r = reader_init(bytes, n > 0 ? (size_t)n : 0);
	reader_skip(&r, sizeof(mark_magic));
	struct spool_place got;
	got.epoch = reader_le64(&r);
	got.seq = reader_le64(&r);
	uint32_t crc = reader_le32(&r);
	if (err == 0 &&
	    (n != SPOOL_MARK_LEN ||
		memcmp(bytes, mark_magic, sizeof(mark_magic)) != 0 ||
		crc != crc32c(0, bytes, SPOOL_MARK_LEN - 4)))
		err = ERR_CORRUPT;
	if (err)
		err_set(msg, err, "%.200s: %s", path, err_str(err));
	else
		*place = got;
	free(path);
	return err;
}
