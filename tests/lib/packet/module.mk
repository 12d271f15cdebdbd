# SPDX-License-Identifier: ISC
$(eval $(call unit_test,lib/packet,carrier,probes lib))
$(eval $(call unit_test,lib/packet,decode,probes lib))
$(eval $(call unit_test,lib/packet,decode_icmp,probes lib))
$(eval $(call unit_test,lib/packet,interface,probes lib))
$(eval $(call unit_test,lib/packet,link,probes lib))
$(eval $(call unit_test,lib/packet,link_types,probes lib))
$(eval $(call tool,tests/decode-dump,tests/lib/packet/decode-dump.c,probes lib))
$(eval $(call tool,tests/lib/packet/decode-sources,\
	tests/lib/packet/decode-sources.c,probes lib))
$(call script_test,tests/lib/packet/decode_tshark.py)
$(call script_test,tests/lib/packet/tshark.py)
