/* SPDX-License-Identifier: ISC */
/* usage: decode-sources FILE: the sources of the innermost packets that our
 * decoder reads, as lines of "source count", sorted. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/buf.h"
#include "lib/packet/packet.h"
#include "probes/sensor/capture.h"

static void add_source(void *arg, int dlt, const uint8_t *bytes, size_t caplen,
    size_t wirelen, struct walltime at)
{
	struct packet p;
	(void)at;
	if (packet_decode_link(&p, dlt, bytes, caplen, wirelen) == 0)
		buf_bytes(arg, &p.src, sizeof(p.src));
}

static int compare_sources(const void *a, const void *b)
{
	return addr_cmp(a, b);
}

static void print_sources(const struct buf *b)
{
	char text[ADDR_TEXT_LEN];
	struct addr *sources = (struct addr *)(void *)b->data;
	size_t count = b->len / sizeof(*sources);
	if (count > 0)
		qsort(sources, count, sizeof(*sources), compare_sources);
	for (size_t i = 0, n; i < count; i += n) {
		for (n = 1; i + n < count; n++)
			if (addr_cmp(&sources[i], &sources[i + n]) != 0)
				break;
		printf("%s %zu\n", addr_text(&sources[i], text), n);
	}
}

int main(int argc, char **argv)
{
	struct capture *capture = NULL;
	struct capture_config config = { .filter = NULL };
	struct buf sources = { 0 };
	struct errmsg msg = { "usage: decode-sources FILE" };
	int err = argc != 2
	    ? ERR_USAGE
	    : capture_open_file(&capture, argv[1], &config, &msg);
	while (err >= 0)
		err = capture_read(capture, 1000, add_source, &sources, &msg);
	capture_close(capture);
	print_sources(&sources);
	buf_fini(&sources);
	if (err == ERR_EOF)
		return 0;
	fprintf(stderr, "decode-sources: %s\n", msg.text);
	return err_exit_code(err);
}
