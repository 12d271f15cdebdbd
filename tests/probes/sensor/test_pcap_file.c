/* SPDX-License-Identifier: ISC */
/* The reader of capture files and libpcap give the same frames, of files that
 * are whole and of files that are not. */
#include <fcntl.h>
#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/buf.h"
#include "probes/sensor/file/pcap-file.h"

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

static void put_word(struct buf *b, uint32_t word, bool swapped)
{
	word = swapped ? __builtin_bswap32(word) : word;
	buf_bytes(b, &word, sizeof(word));
}

static void put_file(struct buf *b, bool swapped, bool nano, uint32_t snaplen)
{
	put_word(b, nano ? 0xa1b23c4d : 0xa1b2c3d4, swapped);
	uint16_t version[] = { 2, 4 };
	for (int i = 0; i < 2; i++)
		version[i] =
		    swapped ? __builtin_bswap16(version[i]) : version[i];
	buf_bytes(b, version, sizeof(version));
	put_word(b, 0, swapped);
	put_word(b, 0, swapped);
	put_word(b, snaplen, swapped);
	put_word(b, 101, swapped);
	for (uint32_t i = 0, count = 1 + random_below(40); i < count; i++) {
		uint32_t len =
		    random_below(8) ? random_below(2000) : random_below(250000);
		put_word(b, 1700000000 + i, swapped);
		put_word(b, random_below(1000000), swapped);
		put_word(b, len, swapped);
		put_word(b, len + random_below(9), swapped);
		for (uint32_t n = 0; n < len; n++)
			buf_u8(b, (uint8_t)(n * 7 + i));
	}
}

static int64_t time_of(const struct pcap_pkthdr *h)
{
	/* What is no part of a second is 0 here; libpcap has it signed in one
	 * precision and unsigned in the other. */
	int64_t part = h->ts.tv_usec < 0 || h->ts.tv_usec >= 1000000000
	    ? 0
	    : h->ts.tv_usec;
	return h->ts.tv_sec * NS_PER_S + part;
}

/* Only libpcap cuts frames to the snaplen of the header. */
static bool same_frame(const struct pcap_frame *a, const struct pcap_pkthdr *b,
    const uint8_t *b_bytes)
{
	return a->at.ns == time_of(b) && a->caplen >= b->caplen &&
	    a->wirelen == b->len && memcmp(a->bytes, b_bytes, b->caplen) == 0;
}

/* How many frames both gave; fails when they differ. */
static int compare(const char *path, bool *whole)
{
	char text[PCAP_ERRBUF_SIZE];
	struct errmsg msg = { "" };
	int fd = open(path, O_RDONLY | O_CLOEXEC), frames = 0;
	assert_true(fd >= 0);
	pcap_t *pcap = pcap_open_offline_with_tstamp_precision(
	    path, PCAP_TSTAMP_PRECISION_NANO, text);
	struct pcap_file *file = pcap_file_new(fd, false, false);
	struct pcap_frame f;
	int ours = pcap ? 1 : pcap_file_next(file, &f, &msg);
	if (!pcap)
		assert_true(ours == ERR_MALFORMED || ours == ERR_TRUNCATED);
	for (int theirs = 1; pcap && theirs == 1; frames++) {
		struct pcap_pkthdr *ph;
		const uint8_t *pbytes;
		theirs = pcap_next_ex(pcap, &ph, &pbytes);
		ours = pcap_file_next(file, &f, &msg);
		if (theirs == PCAP_ERROR)
			assert_true(ours == ERR_TRUNCATED ||
			    ours == ERR_MALFORMED);
		else
			assert_int_equal(
			    ours, theirs == PCAP_ERROR_BREAK ? ERR_EOF : 1);
		if (ours == 1)
			assert_true(same_frame(&f, ph, pbytes));
		*whole = ours == ERR_EOF;
	}
	pcap_file_free(file);
	if (pcap)
		pcap_close(pcap);
	close(fd);
	return frames;
}

static void it_reads_what_libpcap_reads(void **state)
{
	(void)state;
	char path[] = "/tmp/sonde-pcap-XXXXXX";
	int fd = mkstemp(path), compared = 0, wholes = 0, cuts = 0;
	assert_true(fd >= 0);
	for (int i = 0; i < 400; i++) {
		struct buf b = { 0 };
		bool whole = false;
		put_file(&b, i & 1, i & 2, i & 4 ? 262144 : 96);
		if (i >= 100 && i < 250) /* it ends anywhere */
			b.len = random_below((uint32_t)b.len + 1);
		if (i >= 250) /* a length, a magic, anything may lie */
			b.data[random_below(40)] ^=
			    (uint8_t)(1 + random_below(255));
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, b.data, b.len, 0), b.len);
		compared += compare(path, &whole) > 0;
		wholes += whole;
		cuts += !whole;
		buf_fini(&b);
	}
	assert_true(compared > 350 && wholes > 100 && cuts > 100);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_reads_what_libpcap_reads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
