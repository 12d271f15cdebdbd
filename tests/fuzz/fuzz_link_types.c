/* SPDX-License-Identifier: ISC */
/* Every link type.  Two octets: its number; the third: octets that the capture
 * left out; then the frame. */
#include "tests/fuzz/carrier-check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	uint8_t *exact = xmemdup(data + 3, size - 3);
	carrier_check_frame(data[0] << 8 | data[1], exact, size - 3, data[2]);
	free(exact);
	return 0;
}
