$(eval $(call fuzz_test,packet,probes lib))
