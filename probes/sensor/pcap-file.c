/* SPDX-License-Identifier: ISC */
/*
 * The format: a header of 24 octets (magic, version, zone, accuracy, snaplen,
 * link type), then for each frame seconds, micro- or nanoseconds, captured and
 * original length, and the octets (draft-ietf-opsawg-pcap), in the byte order
 * of the machine that wrote it.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "probes/sensor/pcap-file.h"

#define MAGIC_MICRO UINT32_C(0xa1b2c3d4)
#define MAGIC_NANO UINT32_C(0xa1b23c4d)
#define FILE_HEADER_LEN 24
#define FRAME_HEADER_LEN 16
#define FRAME_MOST (256u << 10) /* octets, as libpcap has it */
#define BLOCK_BYTES (FRAME_HEADER_LEN + FRAME_MOST)

struct pcap_file {
	int fd;
	bool swapped, nano;
	uint32_t snaplen;
	size_t at, end; /* in the block */
	uint8_t block[BLOCK_BYTES];
};

static uint32_t word_at(const struct pcap_file *f, const uint8_t *p)
{
	uint32_t word;
	memcpy(&word, p, sizeof(word));
	return f->swapped ? __builtin_bswap32(word) : word;
}

/* Fills up to `len` octets; fewer at the end of the file. */
static ssize_t read_some(int fd, uint8_t *to, size_t len)
{
	size_t got = 0;
	while (got < len) {
		ssize_t n = read(fd, to + got, len - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

static bool read_file_header(struct pcap_file *f)
{
	uint8_t header[FILE_HEADER_LEN];
	if (lseek(f->fd, 0, SEEK_SET) != 0 ||
	    read_some(f->fd, header, sizeof(header)) != FILE_HEADER_LEN)
		return false;
	uint32_t magic = word_at(f, header);
	f->swapped = magic == __builtin_bswap32(MAGIC_MICRO) ||
	    magic == __builtin_bswap32(MAGIC_NANO);
	magic = word_at(f, header);
	f->nano = magic == MAGIC_NANO;
	f->snaplen = word_at(f, header + 16);
	if (f->snaplen == 0 || f->snaplen > FRAME_MOST)
		f->snaplen = FRAME_MOST;
	return magic == MAGIC_MICRO || magic == MAGIC_NANO;
}

struct pcap_file *pcap_file_new(int fd)
{
	off_t place = lseek(fd, 0, SEEK_CUR);
	if (place < 0)
		return NULL;
	struct pcap_file *f = xcalloc(1, sizeof(*f));
	f->fd = fd;
	if (read_file_header(f))
		return f;
	free(f);
	lseek(fd, place, SEEK_SET);
	return NULL;
}

void pcap_file_free(struct pcap_file *f)
{
	free(f);
}

/* Makes at least `want` octets lie in the block, if the file has them. */
static int fill_block(struct pcap_file *f, size_t want, struct errmsg *msg)
{
	size_t left = f->end - f->at;
	if (left >= want)
		return 0;
	memmove(f->block, f->block + f->at, left);
	f->at = 0;
	f->end = left;
	ssize_t n = read_some(f->fd, f->block + left, BLOCK_BYTES - left);
	if (n < 0)
		return err_set(msg, (int)n, "%s", err_str((int)n));
	f->end += (size_t)n;
	return 0;
}

static int cut_short(size_t wanted, size_t got, struct errmsg *msg)
{
	return err_set(msg, ERR_TRUNCATED,
	    "truncated dump file; expected %zu octets, got %zu", wanted, got);
}

int pcap_file_next(struct pcap_file *f, struct pcap_pkthdr *h,
    const uint8_t **bytes, struct errmsg *msg)
{
	int err = fill_block(f, FRAME_HEADER_LEN, msg);
	if (err < 0)
		return err;
	size_t left = f->end - f->at;
	if (left == 0)
		return 0;
	if (left < FRAME_HEADER_LEN)
		return cut_short(FRAME_HEADER_LEN, left, msg);
	const uint8_t *p = f->block + f->at;
	uint32_t len = word_at(f, p + 8);
	int64_t part = word_at(f, p + 4);
	h->ts.tv_sec = word_at(f, p);
	h->ts.tv_usec = f->nano ? part : part * 1000;
	h->len = word_at(f, p + 12);
	if (len > FRAME_MOST)
		return err_set(msg, ERR_TRUNCATED,
		    "a frame of %u octets, expected at most %u", len,
		    FRAME_MOST);
	err = fill_block(f, FRAME_HEADER_LEN + len, msg);
	if (err < 0)
		return err;
	left = f->end - f->at - FRAME_HEADER_LEN;
	if (left < len)
		return cut_short(len, left, msg);
	*bytes = f->block + f->at + FRAME_HEADER_LEN;
	f->at += FRAME_HEADER_LEN + len;
	h->caplen = len < f->snaplen ? len : f->snaplen;
	return 1;
}
