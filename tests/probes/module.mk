# SPDX-License-Identifier: ISC
$(eval $(call unit_test,probes,decode,probes lib))
$(eval $(call unit_test,probes,decode_icmp,probes lib))
$(eval $(call unit_test,probes,decode_link,probes lib))
include tests/probes/agent.mk
$(eval $(call unit_test,probes,writer,probes lib))
include tests/probes/script.mk
$(eval $(call unit_test,probes,live,probes lib))
$(eval $(call unit_test,probes,live_filter,probes lib))
include tests/probes/guardian.mk
include tests/probes/sensor.mk
