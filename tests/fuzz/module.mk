$(eval $(call fuzz_test,packet,probes lib))
$(eval $(call fuzz_test,sim,probes lib))
