/* SPDX-License-Identifier: ISC */
/* A frame with VLAN tags passes a filter exactly when it does without them.
 * The first octet chooses the link type, how many tags, and the filter; the
 * rest is the frame without tags. */
#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "probes/sensor/link-filter.h"

#define TAGS_MOST 7

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	int dlt;
	size_t header_len, type_at;
} links[] = {
	{ DLT_EN10MB, 14, 12 },
	{ DLT_LINUX_SLL, 16, 14 },
	{ DLT_LINUX_SLL2, 20, 0 },
};

static const char *const expressions[] = {
	"tcp port 23 or udp port 53 or net 203.0.113.0/24",
	"not (tcp port 23 or ip6)",
	"ip[8] < 64 and len < 200",
	"greater 60 or icmp",
};

static bool is_tag_type(const uint8_t *type)
{
	return (type[0] == 0x81 && type[1] == 0) ||
	    (type[0] == 0x88 && type[1] == 0xa8) ||
	    ((type[0] == 0x91 || type[0] == 0x92) && type[1] == 0);
}

/* The types of the tags come round; the last one is followed by the frame's
 * own type. */
static void put_tagged(struct buf *to, unsigned link, unsigned tags,
    const uint8_t *frame, size_t len)
{
	static const uint8_t types[] = { 0x81, 0, 0x88, 0xa8, 0x91, 0, 0x92,
		0 };
	size_t at = links[link].type_at, header = links[link].header_len;
	buf_bytes(to, frame, header);
	memcpy(to->data + at, types, 2);
	for (unsigned i = 0; i < tags; i++) {
		buf_u8(to, (uint8_t)i);
		buf_u8(to, 100);
		buf_bytes(to,
		    i + 1 == tags ? frame + at : types + (i + 1) % 4 * 2, 2);
	}
	buf_bytes(to, frame + header, len - header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct errmsg msg = { "" };
	if (size < 1)
		return 0;
	unsigned link = data[0] & 3, tags = 1 + (data[0] >> 2) % TAGS_MOST;
	const uint8_t *frame = data + 1;
	size_t len = size - 1;
	if (link > 2 || len < links[link].header_len || len > 4096 ||
	    is_tag_type(frame + links[link].type_at))
		return 0;
	struct link_filter *filter = link_filter_new(expressions[data[0] >> 6]);
	struct buf tagged = { 0 };
	put_tagged(&tagged, link, tags, frame, len);
	uint8_t *exact = malloc(tagged.len); /* so that ASan sees its end */
	if (!exact)
		return 0;
	memcpy(exact, tagged.data, tagged.len);
	int with = link_filter_match(filter, links[link].dlt, exact,
	    (uint32_t)tagged.len, (uint32_t)tagged.len, &msg);
	int without = link_filter_match(
	    filter, links[link].dlt, frame, (uint32_t)len, (uint32_t)len, &msg);
	if (with < 0 || with != without)
		BUG("%u tags: %d, none: %d (%s)", tags, with, without,
		    msg.text);
	/* Cut anywhere it must only not read beyond. */
	for (size_t cut = 0; cut < tagged.len; cut += 1 + cut / 4) {
		uint8_t *part = malloc(cut ? cut : 1);
		if (!part)
			break;
		memcpy(part, exact, cut);
		link_filter_match(filter, links[link].dlt, part, (uint32_t)cut,
		    (uint32_t)tagged.len, &msg);
		free(part);
	}
	free(exact);
	buf_fini(&tagged);
	link_filter_free(filter);
	return 0;
}
