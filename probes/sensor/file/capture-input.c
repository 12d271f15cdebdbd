/* SPDX-License-Identifier: ISC */
/*
 * The block is filled to its end whenever it runs short, so that a plain file
 * costs one read for a quarter of a mebibyte.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/base/xalloc.h"
#include "probes/sensor/file/capture-input.h"

#define PIECE_LEN ((size_t)64 << 10)
#define MAGIC_LEN 4
#define ZSTD_WINDOW_LOG 27 /* 128 MiB: what zstd -22 asks for */
#define GZIP_WINDOW_BITS (15 + 16)

void input_init(struct capture_input *in, int fd, bool waits, bool grows)
{
	*in =
	    (struct capture_input){ .fd = fd, .waits = waits, .grows = grows };
	in->block = xmalloc(INPUT_BLOCK_LEN);
}

void input_fini(struct capture_input *in)
{
	if (in->packing == INPUT_GZIP) {
		inflateEnd(in->unpacker);
		free(in->unpacker);
	} else if (in->packing == INPUT_ZSTD) {
		ZSTD_freeDStream(in->unpacker);
	}
	free(in->piece);
	free(in->block);
}

void input_turn(struct capture_input *in)
{
	in->may_read = true;
}

/* At least one octet: their number.  0: none now, or at the end. */
static ssize_t read_octets(struct capture_input *in, uint8_t *to, size_t len)
{
	ssize_t n;
	if (in->ended || len == 0 || (in->waits && !in->may_read))
		return 0;
	/* What a writer of a pipe has written, and not one octet more. */
	in->may_read = false;
	do
		n = read(in->fd, to, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (n == 0 && !in->grows)
		in->ended = true;
	return n;
}

static int broken_packing(
    const struct capture_input *in, const char *why, struct errmsg *msg)
{
	return err_set(msg, ERR_MALFORMED, "after %llu unpacked octets: %s: %s",
	    (unsigned long long)(in->before + in->end),
	    in->packing == INPUT_GZIP ? "gzip" : "zstd", why);
}

static int start_gzip(struct capture_input *in, struct errmsg *msg)
{
	z_stream *z = xcalloc(1, sizeof(*z));
	if (inflateInit2(z, GZIP_WINDOW_BITS) != Z_OK) {
		free(z);
		in->packing = INPUT_PLAIN;
		return err_set(msg, -ENOMEM, "gzip: cannot start");
	}
	in->unpacker = z;
	return 1;
}

static int start_zstd(struct capture_input *in, struct errmsg *msg)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	if (!z ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(
		z, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG))) {
		ZSTD_freeDStream(z);
		in->packing = INPUT_PLAIN;
		return err_set(msg, -ENOMEM, "zstd: cannot start");
	}
	in->unpacker = z;
	return 1;
}

/* Of the first octets; fewer than MAGIC_LEN are packed by nothing. */
static int start_unpacking(struct capture_input *in, struct errmsg *msg)
{
	static const uint8_t zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };
	const uint8_t *magic = in->block;
	in->packing = INPUT_PLAIN;
	if (in->end < MAGIC_LEN)
		return 1;
	if (magic[0] == 0x1f && magic[1] == 0x8b)
		in->packing = INPUT_GZIP;
	/* zstd, or a frame of it that is to be skipped: 0x184D2A5? */
	else if (memcmp(magic, zstd, sizeof(zstd)) == 0 ||
	    ((magic[0] & 0xf0) == 0x50 &&
		memcmp(magic + 1, "\x2a\x4d\x18", 3) == 0))
		in->packing = INPUT_ZSTD;
	if (in->packing == INPUT_PLAIN)
		return 1;
	in->piece = in->block;
	in->piece_end = in->end;
	in->block = xmalloc(INPUT_BLOCK_LEN);
	in->at = in->end = 0;
	in->within = true;
	return in->packing == INPUT_GZIP ? start_gzip(in, msg)
					 : start_zstd(in, msg);
}

/* Behind a gzip member: another one, or octets that fill up a tape's block. */
static int next_member(struct capture_input *in, struct errmsg *msg)
{
	while (in->piece_at < in->piece_end && in->piece[in->piece_at] == 0)
		in->piece_at++;
	if (in->piece_at == in->piece_end)
		return 0;
	if (in->piece[in->piece_at] != 0x1f)
		return broken_packing(
		    in, "something else follows what was packed", msg);
	inflateReset(in->unpacker);
	in->within = true;
	return 0;
}

static int unpack_gzip(struct capture_input *in, struct errmsg *msg)
{
	if (!in->within) {
		int err = next_member(in, msg);
		if (err || !in->within)
			return err;
	}
	z_stream *z = in->unpacker;
	z->next_in = in->piece + in->piece_at;
	z->avail_in = (uInt)(in->piece_end - in->piece_at);
	z->next_out = in->block + in->end;
	z->avail_out = (uInt)(INPUT_BLOCK_LEN - in->end);
	int code = inflate(z, Z_NO_FLUSH);
	in->piece_at = in->piece_end - z->avail_in;
	in->end = INPUT_BLOCK_LEN - z->avail_out;
	if (code == Z_STREAM_END)
		in->within = false;
	else if (code != Z_OK && code != Z_BUF_ERROR)
		return broken_packing(in, z->msg ? z->msg : "broken", msg);
	return 0;
}

static int unpack_zstd(struct capture_input *in, struct errmsg *msg)
{
	ZSTD_inBuffer from = { in->piece, in->piece_end, in->piece_at };
	ZSTD_outBuffer to = { in->block, INPUT_BLOCK_LEN, in->end };
	size_t left = ZSTD_decompressStream(in->unpacker, &to, &from);
	in->piece_at = from.pos;
	in->end = to.pos;
	if (ZSTD_isError(left))
		return broken_packing(in, ZSTD_getErrorName(left), msg);
	in->within = left != 0;
	return 0;
}

/* Until the block is full, or there is nothing to unpack.  The unpacker is
 * asked once more without input: it may hold octets for which there was no
 * room. */
static int fill_packed(struct capture_input *in, struct errmsg *msg)
{
	while (in->end < INPUT_BLOCK_LEN) {
		size_t end = in->end, at = in->piece_at;
		if (in->piece_at < in->piece_end || in->within) {
			int err = in->packing == INPUT_GZIP
			    ? unpack_gzip(in, msg)
			    : unpack_zstd(in, msg);
			if (err)
				return err;
		}
		if (in->end > end || in->piece_at > at)
			continue;
		if (in->piece_at < in->piece_end)
			return broken_packing(in, "it does not go on", msg);
		ssize_t n = read_octets(in, in->piece, PIECE_LEN);
		if (n < 0)
			return err_set(msg, (int)n, "%s", err_str((int)n));
		in->piece_at = 0;
		in->piece_end = (size_t)n;
		if (n > 0)
			continue;
		if (in->ended && in->within)
			return err_set(msg, ERR_TRUNCATED,
			    "after %llu unpacked octets: the packed file "
			    "ends early",
			    (unsigned long long)(in->before + in->end));
		return 0;
	}
	return 0;
}

static int fill_plain(struct capture_input *in, struct errmsg *msg)
{
	while (in->end < INPUT_BLOCK_LEN) {
		ssize_t n = read_octets(
		    in, in->block + in->end, INPUT_BLOCK_LEN - in->end);
		if (n < 0)
			return err_set(msg, (int)n, "%s", err_str((int)n));
		if (n == 0)
			return 0;
		in->end += (size_t)n;
	}
	return 0;
}

static int decide_packing(struct capture_input *in, struct errmsg *msg)
{
	while (in->end < MAGIC_LEN) {
		ssize_t n =
		    read_octets(in, in->block + in->end, PIECE_LEN - in->end);
		if (n < 0)
			return err_set(msg, (int)n, "%s", err_str((int)n));
		in->end += (size_t)n;
		if (n == 0 && !in->ended)
			return 0;
		if (n == 0)
			break;
	}
	return start_unpacking(in, msg);
}

static void leave_out(struct capture_input *in)
{
	size_t n = in->end - in->at;
	if (n > in->skip)
		n = (size_t)in->skip;
	in->at += n;
	in->skip -= n;
}

/* What was unpacked before the packing broke is still good: the error waits
 * until more is asked for. */
int input_read_more(struct capture_input *in, size_t want, struct errmsg *msg)
{
	if (in->packing == INPUT_UNDECIDED) {
		int n = decide_packing(in, msg);
		if (n <= 0)
			return n;
	}
	for (;;) {
		leave_out(in);
		size_t left = in->end - in->at;
		if (in->skip == 0 && left >= want)
			return 1;
		if (in->broken)
			return err_set(msg, in->broken, "%s", in->why.text);
		memmove(in->block, in->block + in->at, left);
		in->before += in->at;
		in->at = 0;
		in->end = left;
		in->broken = in->packing == INPUT_PLAIN
		    ? fill_plain(in, &in->why)
		    : fill_packed(in, &in->why);
		if (in->end == left && !in->broken)
			return 0;
	}
}
