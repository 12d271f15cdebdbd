/* SPDX-License-Identifier: ISC */
/* First octet: the link; second: octets that the capture left out. */
#include <pcap/dlt.h>

#include "lib/packet/interface.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int links[] = { DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2,
		DLT_RAW, DLT_IPV4, DLT_IPV6, DLT_NULL, DLT_LOOP };
	struct packet p, quoted;
	struct packet_extension object;
	struct packet_interface interface;
	size_t offset = 0;
	if (size < 2)
		return 0;
	packet_decode_link(
	    &p, links[data[0] & 7], data + 2, size - 2, size - 2 + data[1]);
	packet_decode_quote(&quoted, &p);
	while (packet_next_extension(&p, &offset, &object) == 0) {
		packet_sum(0, object.data, object.len);
		if (packet_interface(&object, &interface) == 0)
			packet_interface_role_name(interface.role);
	}
	return (int)(packet_sum(0, p.payload, p.payload_len) & 0);
}
