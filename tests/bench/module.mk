$(eval $(call tool,bench/pcap-loop,tests/bench/pcap-loop.c,probes lib))
