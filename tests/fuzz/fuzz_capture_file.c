/* SPDX-License-Identifier: ISC */
/* The input is a capture file, of any format and packing.  Read at once, and
 * read as it grows from one half to the whole, it gives the same frames. */
#include <sys/mman.h>
#include <unistd.h>

#include "probes/sensor/file/pcap-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sum {
	uint64_t frames, octets;
	int64_t times;
};

/* Until there is no frame more; what it ended with. */
static int add_frames(struct pcap_file *file, struct sum *sum)
{
	struct pcap_frame f;
	struct errmsg msg;
	int n;
	while ((n = pcap_file_next(file, &f, &msg)) > 0) {
		sum->frames++;
		sum->times ^= f.at.ns;
		for (uint32_t i = 0; i < f.caplen; i++)
			sum->octets += f.bytes[i];
		if (f.at.ns < 0 || f.caplen > PCAP_FRAME_MOST)
			BUG("a frame of %u octets at %lld", f.caplen,
			    (long long)f.at.ns);
	}
	return n;
}

static void put_octets(int fd, const uint8_t *data, size_t size)
{
	if (write(fd, data, size) != (ssize_t)size)
		BUG("the input cannot be written");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);
	int grows = memfd_create("grows", MFD_CLOEXEC);
	struct sum whole = { 0 }, parts = { 0 };
	put_octets(fd, data, size);
	lseek(fd, 0, SEEK_SET);
	struct pcap_file *file = pcap_file_new(fd, false, false);
	int end = add_frames(file, &whole);
	if (end == 0)
		BUG("neither a frame nor an end");
	pcap_file_free(file);

	file = pcap_file_new(grows, false, true);
	put_octets(grows, data, size / 2);
	lseek(grows, 0, SEEK_SET);
	int broken = add_frames(file, &parts);
	put_octets(grows, data + size / 2, size - size / 2);
	lseek(grows, (off_t)(size / 2), SEEK_SET);
	if (broken == 0)
		broken = add_frames(file, &parts);
	if (parts.frames != whole.frames || parts.octets != whole.octets ||
	    parts.times != whole.times ||
	    (broken == 0 && end != ERR_EOF && end != ERR_TRUNCATED &&
		size >= 24))
		BUG("%llu frames at once, %llu in two parts",
		    (unsigned long long)whole.frames,
		    (unsigned long long)parts.frames);
	pcap_file_free(file);
	close(fd);
	close(grows);
	return 0;
}
