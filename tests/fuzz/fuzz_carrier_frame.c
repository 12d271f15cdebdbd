/* SPDX-License-Identifier: ISC */
/* What an Ethernet type announces.  First octet: octets that the capture left
 * out; then the frame from its type on. */
#include <pcap/dlt.h>

#include "tests/fuzz/carrier-check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = { 0 };
	if (size < 1)
		return 0;
	buf_bytes(&b, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01", 12);
	buf_bytes(&b, data + 1, size - 1);
	uint8_t *exact = xmemdup(b.data, b.len);
	carrier_check_frame(DLT_EN10MB, exact, b.len, data[0]);
	free(exact);
	buf_fini(&b);
	return 0;
}
