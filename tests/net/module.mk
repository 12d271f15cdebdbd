# SPDX-License-Identifier: ISC
$(eval $(call tool,tests/net/guardian-drive,tests/net/guardian-drive.c,probes lib))
$(call script_test,tests/net/formats.py)
$(call script_test,tests/net/hops-come.py)
$(call script_test,tests/net/hostile.sh)
$(call script_test,tests/net/policy.sh)
$(call script_test,tests/net/trace.sh)
$(call script_test,tests/net/uplinks.sh)
$(call script_test,tests/net/vantage.sh)
