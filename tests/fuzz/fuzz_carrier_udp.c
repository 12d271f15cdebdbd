/* SPDX-License-Identifier: ISC */
/* What a datagram carries.  Two octets: the destination's port; the third:
 * octets that the capture left out; then the payload. */
#include <pcap/dlt.h>

#include "tests/fuzz/carrier-check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = { 0 };
	if (size < 3 || size > 60000)
		return 0;
	buf_be32(&b, 0x60000000);
	buf_be16(&b, (uint16_t)(size + 5));
	buf_be16(&b, 17 << 8 | 64);
	for (uint32_t end = 1; end <= 2; end++) {
		buf_be32(&b, 0x20010db8);
		buf_be32(&b, 0);
		buf_be32(&b, 0);
		buf_be32(&b, end);
	}
	buf_be16(&b, 50000);
	buf_bytes(&b, data, 2);
	buf_be16(&b, (uint16_t)(size + 5));
	buf_be16(&b, 0);
	buf_bytes(&b, data + 3, size - 3);
	uint8_t *exact = xmemdup(b.data, b.len);
	carrier_check_frame(DLT_IPV6, exact, b.len, data[2]);
	free(exact);
	buf_fini(&b);
	return 0;
}
