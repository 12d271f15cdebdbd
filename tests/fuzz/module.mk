$(eval $(call fuzz_test,packet,probes lib))
$(eval $(call fuzz_test,sim,probes lib))
$(eval $(call fuzz_test,worklist,probes lib))
$(eval $(call fuzz_test,frames,probes lib))
$(eval $(call fuzz_test,http_query,web lib))
$(O)/tests/fuzz/fuzz_http_query: $(O)/tests/web/fake-collector.o \
	$(O)/collector/query/query-params.o
$(eval $(call fuzz_test,record_json,lib))
$(eval $(call fuzz_test,spike_rows,probes lib))
$(eval $(call fuzz_test,script_header,probes lib))
$(eval $(call fuzz_test,record,lib))
$(eval $(call fuzz_test,batch,lib))
$(eval $(call fuzz_test,spool,lib))
$(O)/tests/fuzz/fuzz_spool: $(O)/tests/fuzz/spool-folder.o
$(eval $(call fuzz_test,config,lib))
$(eval $(call fuzz_test,option,lib))
$(eval $(call tool,tests/fuzz/seeds,tests/fuzz/seeds.c,lib))
$(eval $(call fuzz_test,match,probes lib))
$(eval $(call fuzz_test,netlink,probes lib))
$(eval $(call fuzz_test,wire,probes lib))
$(eval $(call fuzz_test,sensor,probes lib))
$(eval $(call fuzz_test,block,collector analysis lib))
$(eval $(call fuzz_test,path,collector analysis lib))
$(eval $(call fuzz_test,trace,collector analysis lib))
$(eval $(call fuzz_test,url,probes lib))
$(eval $(call fuzz_test,result_schema,lib))
$(eval $(call fuzz_test,result_row,lib))
$(O)/tests/fuzz/fuzz_result_row: $(O)/tests/lib/record/result-fixture.o
$(O)/tests/fuzz/seeds: $(O)/tests/lib/record/result-fixture.o
