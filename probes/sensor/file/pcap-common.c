/* SPDX-License-Identifier: ISC */
/*
 * What both formats need: link types as files number them, and errors that say
 * where.
 */
#include <pcap/dlt.h>
#include <stdarg.h>
#include <stdio.h>

#include "probes/sensor/file/pcap-file-private.h"

#define LINK_TYPE_BITS 0x03ffffff /* above: the length of the FCS */

int pcap_link_type(uint32_t in_file)
{
	switch (in_file & LINK_TYPE_BITS) {
	case 100: return DLT_ATM_RFC1483;
	case 101: return DLT_RAW;
	case 102: return DLT_SLIP_BSDOS;
	case 103: return DLT_PPP_BSDOS;
	case 108: return DLT_LOOP;
	default: return (int)(in_file & LINK_TYPE_BITS);
	}
}

int pcap_file_failure(const struct pcap_file *f, int code, struct errmsg *msg,
    const char *format, ...)
{
	char what[192];
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return err_set(msg, code, "at %soctet %llu: %s",
	    f->input.packing > INPUT_PLAIN ? "unpacked " : "",
	    (unsigned long long)input_offset(&f->input), what);
}

int pcap_file_need(
    struct pcap_file *f, size_t want, const char *what, struct errmsg *msg)
{
	int n = input_fill(&f->input, want, msg);
	if (n != 0 || !f->input.ended)
		return n;
	return pcap_file_failure(f, ERR_TRUNCATED, msg,
	    "the file ends in the middle of %s: expected %zu octets, got %zu",
	    what, want, input_left(&f->input));
}
