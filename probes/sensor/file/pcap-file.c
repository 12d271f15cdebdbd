/* SPDX-License-Identifier: ISC */
/*
 * The pcap format: a header of 24 octets (magic, version, zone, accuracy,
 * snaplen, link type), then for each frame seconds, micro- or nanoseconds,
 * captured and original length, and the octets (draft-ietf-opsawg-pcap), in
 * the byte order of the machine that wrote it.  Kuznetzov's frames have eight
 * octets more in their header: interface, protocol, packet type.
 *
 * The snaplen of the header is what was asked for and not a bound: merged and
 * edited files have frames that are longer.
 */
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "probes/sensor/file/pcap-file-private.h"

#define MAGIC_MICRO UINT32_C(0xa1b2c3d4)
#define MAGIC_NANO UINT32_C(0xa1b23c4d)
#define MAGIC_KUZNETZOV UINT32_C(0xa1b2cd34)
#define MAGIC_PCAPNG UINT32_C(0x0a0d0d0a) /* the same in both orders */
#define FILE_HEADER_LEN 24
#define FRAME_HEADER_LEN 16
#define KUZNETZOV_HEADER_LEN 24
static struct walltime join_time(int64_t seconds, uint32_t ns)
{
	/* What is no part of a second is not known. */
	return (
	    struct walltime){ seconds * NS_PER_S + (ns < NS_PER_S ? ns : 0) };
}

static int lying_length(
    const struct pcap_file *f, uint32_t len, struct errmsg *msg)
{
	return pcap_file_failure(f, ERR_MALFORMED, msg,
	    "frame %llu: a length of %u octets, expected at most %u",
	    (unsigned long long)f->frames + 1, len, PCAP_FRAME_MOST);
}

static int next_frame(
    struct pcap_file *f, struct pcap_frame *frame, struct errmsg *msg)
{
	size_t header_len = f->frame_header_len;
	int n = input_fill(&f->input, header_len, msg);
	if (n <= 0) {
		if (n < 0 || !f->input.ended)
			return n;
		return input_left(&f->input) == 0
		    ? ERR_EOF
		    : pcap_file_need(f, header_len, "a frame's header", msg);
	}
	const uint8_t *p = input_octets(&f->input);
	uint32_t part = pcap_word(f, p + 4);
	uint32_t len = pcap_word(f, p + 8), wire_len = pcap_word(f, p + 12);
	if (f->lengths_swapped ||
	    (f->lengths_maybe_swapped && len > wire_len)) {
		uint32_t other = len;
		len = wire_len;
		wire_len = other;
	}
	frame->at = join_time(pcap_word(f, p),
	    f->nano              ? part
		: part < 1000000 ? part * 1000
				 : 0);
	if (len > PCAP_FRAME_MOST)
		return lying_length(f, len, msg);
	n = pcap_file_need(f, header_len + len, "a frame", msg);
	if (n <= 0)
		return n;
	frame->bytes = input_octets(&f->input) + header_len;
	frame->caplen = len;
	frame->wirelen = wire_len;
	frame->dlt = f->dlt;
	f->input.at += header_len + len;
	f->frames++;
	return 1;
}

/* What else a capture could have been packed or written with. */
static const char *format_name(const uint8_t *p)
{
	static const struct {
		const char *magic, *name;
		size_t len;
	} known[] = {
		{ "\xfd"
		  "7zXZ",
		    "packed by xz", 5 },
		{ "BZh", "packed by bzip2", 3 },
		{ "\x04\x22\x4d\x18", "packed by lz4", 4 },
		{ "PK\3\4", "a zip archive", 4 },
		{ "snoop\0\0", "a capture of snoop", 7 },
		{ "RTSS", "a capture of NetMon", 4 },
		{ "GMBU", "a capture of NetMon", 4 },
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (memcmp(p, known[i].magic, known[i].len) == 0)
			return known[i].name;
	return NULL;
}

static int other_format(const uint8_t *p, struct errmsg *msg)
{
	const char *name = format_name(p);
	if (name)
		return err_set(msg, ERR_MALFORMED,
		    "expected a capture (pcap or pcapng, plain or packed by "
		    "gzip or zstd), got %s",
		    name);
	return err_set(msg, ERR_MALFORMED,
	    "expected a capture (pcap or pcapng, plain or packed by gzip or "
	    "zstd), got a file that begins with %02x %02x %02x %02x",
	    p[0], p[1], p[2], p[3]);
}

static bool is_magic(struct pcap_file *f, const uint8_t *p, uint32_t magic)
{
	uint32_t word;
	memcpy(&word, p, sizeof(word));
	f->swapped = word == __builtin_bswap32(magic);
	return f->swapped || word == magic;
}

/* libpcap's rules for versions: the two lengths of a frame were the other way
 * round before 2.3, and in 2.3 in the files of some. */
static int read_version(
    struct pcap_file *f, const uint8_t *header, struct errmsg *msg)
{
	unsigned major = pcap_half(f, header + 4);
	unsigned minor = pcap_half(f, header + 6);
	f->lengths_swapped = (major == 2 && minor < 3) || major == 543;
	f->lengths_maybe_swapped = major == 2 && minor == 3;
	if ((major == 2 && minor <= 4) || (major == 543 && minor == 0))
		return 0;
	return err_set(msg, ERR_MALFORMED,
	    "at octet 4: pcap of version %u.%u, expected 2.4 or earlier", major,
	    minor);
}

static int read_header(
    struct pcap_file *f, struct pcap_frame *frame, struct errmsg *msg)
{
	int n = input_fill(&f->input, FILE_HEADER_LEN, msg);
	if (n < 0 || (n == 0 && !f->input.ended))
		return n;
	const uint8_t *p = input_octets(&f->input);
	if (input_left(&f->input) < 4)
		return err_set(msg, ERR_MALFORMED,
		    "expected a capture (pcap or pcapng), got a file of %zu "
		    "octets",
		    input_left(&f->input));
	f->frame_header_len = FRAME_HEADER_LEN;
	if (is_magic(f, p, MAGIC_PCAPNG))
		f->next = pcapng_next;
	else if (is_magic(f, p, MAGIC_NANO))
		f->nano = true;
	else if (is_magic(f, p, MAGIC_KUZNETZOV))
		f->frame_header_len = KUZNETZOV_HEADER_LEN;
	else if (!is_magic(f, p, MAGIC_MICRO))
		return other_format(p, msg);
	if (f->next == pcapng_next)
		return f->next(f, frame, msg);
	n = pcap_file_need(f, FILE_HEADER_LEN, "its header", msg);
	if (n <= 0)
		return n;
	int err = read_version(f, p, msg);
	if (err < 0)
		return err;
	f->dlt = pcap_link_type(pcap_word(f, p + 20));
	f->input.at += FILE_HEADER_LEN;
	f->next = next_frame;
	return f->next(f, frame, msg);
}

struct pcap_file *pcap_file_new(int fd, bool waits, bool grows)
{
	struct pcap_file *f = xcalloc(1, sizeof(*f));
	input_init(&f->input, fd, waits, grows);
	f->next = read_header;
	return f;
}

void pcap_file_free(struct pcap_file *f)
{
	if (!f)
		return;
	pcapng_fini(f);
	input_fini(&f->input);
	free(f);
}

void pcap_file_turn(struct pcap_file *f)
{
	input_turn(&f->input);
}

int pcap_file_next(
    struct pcap_file *f, struct pcap_frame *frame, struct errmsg *msg)
{
	return f->next(f, frame, msg);
}

bool pcap_file_is_within(const struct pcap_file *f)
{
	return input_left(&f->input) > 0 || f->input.skip > 0 ||
	    f->input.within;
}

uint64_t pcap_file_dropped(const struct pcap_file *f)
{
	return pcapng_dropped(f);
}
