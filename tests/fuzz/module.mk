$(eval $(call fuzz_test,packet,probes lib))
$(eval $(call fuzz_test,sim,probes lib))
$(eval $(call fuzz_test,worklist,probes lib))
$(eval $(call fuzz_test,frames,probes lib))
$(eval $(call fuzz_test,http_query,web lib))
$(O)/tests/fuzz/fuzz_http_query: $(O)/tests/web/fake-collector.o
$(eval $(call fuzz_test,record_json,lib))
$(eval $(call fuzz_test,spike_rows,probes lib))
$(eval $(call fuzz_test,script_header,probes lib))
