# SPDX-License-Identifier: ISC
$(eval $(call unit_test,probes,decode,probes lib))
$(eval $(call unit_test,probes,decode_icmp,probes lib))
$(eval $(call unit_test,probes,decode_link,probes lib))
$(eval $(call unit_test,probes,build,probes lib))
$(eval $(call tool,tests/probes/build-print,tests/probes/build-print.c,probes lib))
$(call script_test,tests/probes/build.py)
include tests/probes/agent.mk
$(eval $(call unit_test,probes,writer,probes lib))
include tests/probes/script.mk
$(eval $(call tool,tests/probes/policy-print,tests/probes/policy-print.c,probes lib))
$(call script_test,tests/probes/policy.py)
$(eval $(call unit_test,probes,policy,probes lib))
$(eval $(call unit_test,probes,live,probes lib))
