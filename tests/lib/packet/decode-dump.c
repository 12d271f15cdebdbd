/* SPDX-License-Identifier: ISC */
/* usage: decode-dump FILE: what our decoder reads in each packet, as lines of
 * "error proto src dst sport dport carriers reason", so that tshark can be asked the same. */
#include <stdio.h>

#include "lib/packet/packet.h"
#include "probes/sensor/capture.h"

static void dump(void *arg, int dlt, const uint8_t *bytes, size_t caplen,
    size_t wirelen, struct walltime at)
{
	struct packet p;
	char src[ADDR_TEXT_LEN], dst[ADDR_TEXT_LEN];
	(void)arg;
	(void)at;
	int err = packet_decode_link(&p, dlt, bytes, caplen, wirelen);
	bool upper = !p.fragment || p.first_fragment;
	printf("%s\t%d\t%s\t%s\t%d\t%d\t%d\t%s\n", err ? err_str(err) : "ok",
	    upper ? p.proto : -1, addr_text(&p.src, src),
	    addr_text(&p.dst, dst), p.sport, p.dport,
	    p.carriers, packet_reason_name((enum packet_reason)p.reason));
}

int main(int argc, char **argv)
{
	struct capture *capture = NULL;
	struct capture_config config = { .filter = NULL };
	struct errmsg msg = { "usage: decode-dump FILE" };
	int err = argc != 2
	    ? ERR_USAGE
	    : capture_open_file(&capture, argv[1], &config, &msg);
	while (err >= 0)
		err = capture_read(capture, 1000, dump, NULL, &msg);
	capture_close(capture);
	if (err == ERR_EOF)
		return 0;
	fprintf(stderr, "decode-dump: %s\n", msg.text);
	return err_exit_code(err);
}
