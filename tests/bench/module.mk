$(eval $(call tool,bench/pcap-loop,tests/bench/pcap-loop.c,probes lib))
$(eval $(call tool,bench/gen-pcap,tests/bench/gen-pcap.c,probes lib))
