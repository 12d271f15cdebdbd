/* SPDX-License-Identifier: ISC */
/* What unpacks captures.  The first octet says whether the rest is a file as it
 * is, or is packed first and comes back the same; the second, in which steps it
 * is read. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/base/buf.h"
#include "probes/sensor/file/capture-input.h"

#define OUTPUT_MOST (64u << 20) /* of a bomb */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void pack_gzip(struct buf *to, const uint8_t *data, size_t size)
{
	z_stream z = { 0 };
	if (deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		BUG("deflate cannot start");
	size_t most = deflateBound(&z, size);
	z.next_in = (uint8_t *)data;
	z.avail_in = (uInt)size;
	z.next_out = buf_room(to, most);
	z.avail_out = (uInt)most;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		BUG("deflate fails");
	to->len += z.total_out;
	deflateEnd(&z);
}

static void pack_zstd(struct buf *to, const uint8_t *data, size_t size)
{
	size_t most = ZSTD_compressBound(size);
	to->len += ZSTD_compress(buf_room(to, most), most, data, size, 1);
}

static void check_same(const struct capture_input *in, const uint8_t *data,
    size_t size, uint64_t offset, size_t len)
{
	if (offset + len > size ||
	    memcmp(input_octets(in), data + offset, len) != 0)
		BUG("other octets at %llu", (unsigned long long)offset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct capture_input in;
	struct errmsg msg;
	struct buf packed = { 0 };
	if (size < 2)
		return 0;
	unsigned mode = data[0] & 3;
	size_t step = 1 + (size_t)data[1] * 300;
	data += 2;
	size -= 2;
	if (mode == 1)
		pack_gzip(&packed, data, size);
	else if (mode == 2)
		pack_zstd(&packed, data, size);
	else
		buf_bytes(&packed, data, size);
	int fd = memfd_create("input", MFD_CLOEXEC);
	if (write(fd, packed.data, packed.len) != (ssize_t)packed.len)
		BUG("the input cannot be written");
	lseek(fd, 0, SEEK_SET);
	input_init(&in, fd, false, false);
	bool is_known = mode == 1 || mode == 2;
	int n;
	while ((n = input_fill(&in, step, &msg)) > 0 &&
	    input_offset(&in) < OUTPUT_MOST) {
		if (is_known)
			check_same(&in, data, size, input_offset(&in), step);
		in.at += step;
		if (mode == 3)
			in.skip = step * 2;
	}
	if (is_known &&
	    (n != 0 || !in.ended ||
		input_offset(&in) + input_left(&in) != size))
		BUG("%zu octets were packed, %llu came back: %d", size,
		    (unsigned long long)(input_offset(&in) + input_left(&in)),
		    n);
	if (n == 0 && !in.ended)
		BUG("neither octets nor an end");
	input_fini(&in);
	buf_fini(&packed);
	close(fd);
	return 0;
}
