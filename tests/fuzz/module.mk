$(eval $(call fuzz_test,packet,probes lib))
$(eval $(call fuzz_test,sim,probes lib))
$(eval $(call fuzz_test,worklist,probes lib))
$(eval $(call fuzz_test,frames,probes lib))
