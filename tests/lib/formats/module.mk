# SPDX-License-Identifier: ISC
$(eval $(call unit_test,lib/formats,format,probes lib))
$(call script_test,tests/lib/formats/warts.py)
$(call script_test,tests/lib/formats/atlas.py)
$(eval $(call unit_test,lib/formats,result_formats,lib))
$(O)/tests/lib/formats/test_result_formats: \
	$(O)/tests/lib/record/result-fixture.o
