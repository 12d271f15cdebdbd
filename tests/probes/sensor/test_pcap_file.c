/* SPDX-License-Identifier: ISC */
/* The reader of capture files and libpcap give the same frames, of files that
 * are whole and of files that are not. */
#include <fcntl.h>
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
#include "probes/sensor/pcap-file.h"

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

/* What is no part of a second is 0 to whoever asks (capture.c); libpcap has it
 * signed in one precision and unsigned in the other. */
static int64_t part_of_second(const struct pcap_pkthdr *h)
{
	return h->ts.tv_usec < 0 || h->ts.tv_usec >= 1000000000 ? 0
								: h->ts.tv_usec;
}

static bool same_frame(const struct pcap_pkthdr *a, const uint8_t *a_bytes,
    const struct pcap_pkthdr *b, const uint8_t *b_bytes)
{
	return a->ts.tv_sec == b->ts.tv_sec &&
	    part_of_second(a) == part_of_second(b) && a->caplen == b->caplen &&
	    a->len == b->len && memcmp(a_bytes, b_bytes, a->caplen) == 0;
}

/* How many frames both gave; fails when they differ. */
static int compare(const char *path, bool *whole)
{
	char text[PCAP_ERRBUF_SIZE];
	struct errmsg msg;
	int fd = open(path, O_RDONLY | O_CLOEXEC), frames = 0;
	assert_true(fd >= 0);
	pcap_t *pcap = pcap_open_offline_with_tstamp_precision(
	    path, PCAP_TSTAMP_PRECISION_NANO, text);
	struct pcap_file *file = pcap ? pcap_file_new(fd) : NULL;
	for (int ours, theirs = 1; file && theirs == 1; frames++) {
		struct pcap_pkthdr h, *ph;
		const uint8_t *bytes, *pbytes;
		theirs = pcap_next_ex(pcap, &ph, &pbytes);
		ours = pcap_file_next(file, &h, &bytes, &msg);
		assert_int_equal(ours,
		    theirs == PCAP_ERROR_BREAK ? 0
			: theirs == PCAP_ERROR ? ERR_TRUNCATED
					       : 1);
		if (ours == 1)
			assert_true(same_frame(&h, bytes, ph, pbytes));
		*whole = ours == 0;
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

static void other_formats_are_left_to_libpcap(void **state)
{
	(void)state;
	char path[] = "/tmp/sonde-pcap-XXXXXX";
	int fd = mkstemp(path), ends[2];
	static const char pcapng[] = "\x0a\x0d\x0d\x0a    \x4d\x3c\x2b\x1a"
				     "                        ";
	assert_int_equal(write(fd, pcapng, sizeof(pcapng)), sizeof(pcapng));
	assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
	assert_null(pcap_file_new(fd));
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 5);
	close(fd);
	unlink(path);
	assert_int_equal(pipe(ends), 0);
	assert_null(pcap_file_new(ends[0]));
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_reads_what_libpcap_reads),
		cmocka_unit_test(other_formats_are_left_to_libpcap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
