/* SPDX-License-Identifier: ISC */
/* What IP carries by its protocol.  First octet: the protocol, the second:
 * octets that the capture left out; then the payload. */
#include <pcap/dlt.h>

#include "tests/fuzz/carrier-check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = { 0 };
	if (size < 2 || size > 60000)
		return 0;
	buf_be16(&b, 0x4500);
	buf_be16(&b, (uint16_t)(18 + size));
	buf_be32(&b, 0);
	buf_be16(&b, (uint16_t)(0x4000 | data[0]));
	buf_be16(&b, 0);
	buf_be32(&b, 0xc0000201);
	buf_be32(&b, 0xc0000202);
	buf_bytes(&b, data + 2, size - 2);
	uint8_t *exact = xmemdup(b.data, b.len);
	carrier_check_frame(DLT_RAW, exact, b.len, data[1]);
	free(exact);
	buf_fini(&b);
	return 0;
}
