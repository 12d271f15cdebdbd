$(eval $(call tool,bench/pcap-loop,tests/bench/pcap-loop.c,probes lib))
$(eval $(call tool,bench/bare-sweep,tests/bench/bare-sweep.c,lib))
$(eval $(call tool,bench/flood,tests/bench/flood.c,probes lib))
$(eval $(call tool,bench/gap-loop,tests/bench/gap-loop.c,lib))
$(eval $(call tool,bench/shared-guardian,tests/bench/shared-guardian.c,probes lib))
$(eval $(call tool,bench/gen-pcap,tests/bench/gen-pcap.c,probes lib))
$(eval $(call tool,bench/ingest-bench,tests/bench/ingest-bench.c,collector analysis lib))
$(O)/bench/ingest-bench: $(O)/tests/web/synth.o $(O)/tests/bench/load.o
OBJS += $(O)/tests/bench/load.o
$(eval $(call tool,bench/map-fill,tests/bench/map-fill.c,collector analysis lib))
$(O)/bench/map-fill: $(O)/tests/web/synth.o
$(eval $(call tool,bench/queries,tests/bench/queries.c,collector analysis lib))
