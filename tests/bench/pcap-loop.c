/* SPDX-License-Identifier: ISC */
/* The least that a program can do with a capture: read it and count.  What
 * the sensor costs above this is the sensor's own. */
#include <pcap/pcap.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	char error[PCAP_ERRBUF_SIZE] = "usage: pcap-loop FILE";
	pcap_t *pcap = argc == 2 ? pcap_open_offline(argv[1], error) : NULL;
	if (!pcap) {
		fprintf(stderr, "pcap-loop: %s\n", error);
		return 1;
	}
	struct pcap_pkthdr *head;
	const u_char *bytes;
	unsigned long long packets = 0, octets = 0;
	while (pcap_next_ex(pcap, &head, &bytes) == 1) {
		packets++;
		octets += head->len;
	}
	printf("%llu packets, %llu bytes\n", packets, octets);
	pcap_close(pcap);
	return 0;
}
