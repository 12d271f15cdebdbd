# SPDX-License-Identifier: ISC
$(eval $(call unit_test,lib/formats,format,probes lib))
$(call script_test,tests/lib/formats/warts.py)
