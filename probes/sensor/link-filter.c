/* SPDX-License-Identifier: ISC */
/*
 * One program for each link type, compiled when its first frame comes.  The
 * expression's own way to look behind a tag, `vlan and (...)`, moves all
 * offsets of what follows it: (E) or (vlan and (E)) is right for few
 * expressions, and `not E` is true of every frame whose tag hides E.  So the
 * tags are taken out of a copy of the frame instead, which holds for any
 * number of tags.
 */
#include <ctype.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "probes/sensor/link-filter.h"

#define SNAPLEN (256 << 10)
#define TAG_LEN 4
#define LINKS_MOST 64

struct link_program {
	int dlt;
	struct bpf_program program;
};

struct link_filter {
	char *expression;
	bool names_tags;
	struct link_program links[LINKS_MOST];
	size_t link_count, latest;
	uint8_t *untagged; /* the copy */
};

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

bool link_filter_names_tags(const char *expression)
{
	for (const char *p = expression; (p = strstr(p, "vlan")); p += 4)
		if ((p == expression || !is_word(p[-1])) && !is_word(p[4]))
			return true;
	return false;
}

struct link_filter *link_filter_new(const char *expression)
{
	struct link_filter *f = xcalloc(1, sizeof(*f));
	f->expression = xstrdup(expression);
	f->names_tags = link_filter_names_tags(expression);
	return f;
}

void link_filter_free(struct link_filter *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->link_count; i++)
		pcap_freecode(&f->links[i].program);
	free(f->untagged);
	free(f->expression);
	free(f);
}

static int compile(struct link_filter *f, int dlt, struct errmsg *msg)
{
	if (f->link_count == LINKS_MOST)
		return err_set(msg, ERR_USAGE,
		    "filter: more than %d link types", LINKS_MOST);
	pcap_t *pcap = pcap_open_dead(dlt, SNAPLEN);
	if (!pcap)
		return err_set(msg, -ENOMEM, "filter: %s", err_str(-ENOMEM));
	struct link_program *link = &f->links[f->link_count];
	link->dlt = dlt;
	int err = pcap_compile(
	    pcap, &link->program, f->expression, 1, PCAP_NETMASK_UNKNOWN);
	if (err != 0) {
		const char *name = pcap_datalink_val_to_name(dlt);
		err_set(msg, ERR_USAGE,
		    "filter: for frames of link type %s: %s",
		    name ? name : "unknown", pcap_geterr(pcap));
	} else {
		f->latest = f->link_count++;
	}
	pcap_close(pcap);
	return err ? ERR_USAGE : 0;
}

static int find_program(struct link_filter *f, int dlt, struct errmsg *msg)
{
	if (f->latest < f->link_count && f->links[f->latest].dlt == dlt)
		return 0;
	for (f->latest = 0; f->latest < f->link_count; f->latest++)
		if (f->links[f->latest].dlt == dlt)
			return 0;
	return compile(f, dlt, msg);
}

/* Where the type is that a tag would be; 0 for a link that has none. */
static uint32_t type_offset(int dlt)
{
	switch (dlt) {
	case DLT_EN10MB: return 12;
	case DLT_LINUX_SLL: return 14;
	default: return 0;
	}
}

static bool is_tag(const uint8_t *type)
{
	unsigned t = (unsigned)type[0] << 8 | type[1];
	return t == 0x8100 || t == 0x88a8 || t == 0x9100 || t == 0x9200;
}

/* How many octets of tags begin at `at`. */
static uint32_t tags_len(const uint8_t *bytes, uint32_t caplen, uint32_t at)
{
	uint32_t len = 0;
	while (at + len + TAG_LEN + 2 <= caplen && is_tag(bytes + at + len))
		len += TAG_LEN;
	return len;
}

/* The frame in f->untagged, where Linux's second cooked header has its type in
 * front: there the tags lie behind the header of 20 octets. */
static uint32_t strip_cooked2(
    struct link_filter *f, const uint8_t *bytes, uint32_t caplen)
{
	enum { HEADER = 20 };
	uint32_t len = 0;
	if (caplen < HEADER + TAG_LEN || !is_tag(bytes))
		return 0;
	/* A tag is TCI, type here: its own type was in the header. */
	do
		len += TAG_LEN;
	while (is_tag(bytes + HEADER + len - 2) &&
	    HEADER + len + TAG_LEN <= caplen);
	memcpy(f->untagged, bytes, HEADER);
	memcpy(f->untagged, bytes + HEADER + len - 2, 2);
	memcpy(
	    f->untagged + HEADER, bytes + HEADER + len, caplen - HEADER - len);
	return len;
}

/* The octets of tags that were taken out of the copy; 0: there are none, and
 * no copy. */
static uint32_t strip_tags(
    struct link_filter *f, int dlt, const uint8_t *bytes, uint32_t caplen)
{
	if (dlt == DLT_LINUX_SLL2)
		return caplen <= SNAPLEN ? strip_cooked2(f, bytes, caplen) : 0;
	uint32_t at = type_offset(dlt);
	uint32_t len =
	    at && caplen <= SNAPLEN ? tags_len(bytes, caplen, at) : 0;
	if (len > 0) {
		memcpy(f->untagged, bytes, at);
		memcpy(f->untagged + at, bytes + at + len, caplen - at - len);
	}
	return len;
}

int link_filter_match(struct link_filter *f, int dlt, const uint8_t *bytes,
    uint32_t caplen, uint32_t wirelen, struct errmsg *msg)
{
	int err = find_program(f, dlt, msg);
	if (err)
		return err;
	struct pcap_pkthdr h = { .caplen = caplen, .len = wirelen };
	if (!f->names_tags) {
		if (!f->untagged)
			f->untagged = xmalloc(SNAPLEN);
		uint32_t tags = strip_tags(f, dlt, bytes, caplen);
		if (tags > 0) {
			h.caplen -= tags;
			h.len = h.len > tags ? h.len - tags : 0;
			bytes = f->untagged;
		}
	}
	const struct bpf_program *program = &f->links[f->latest].program;
	return pcap_offline_filter(program, &h, bytes) != 0;
}
