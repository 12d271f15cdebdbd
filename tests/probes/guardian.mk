# SPDX-License-Identifier: ISC
$(eval $(call unit_test,probes,build,probes lib))
$(eval $(call tool,tests/probes/build-print,tests/probes/build-print.c,probes lib))
$(call script_test,tests/probes/build.py)
$(eval $(call tool,tests/probes/policy-print,tests/probes/policy-print.c,probes lib))
$(call script_test,tests/probes/policy.py)
$(eval $(call unit_test,probes,policy,probes lib))
$(eval $(call unit_test,probes,guardian,probes lib,-lpthread))
$(eval $(call unit_test,probes,match,probes lib))
