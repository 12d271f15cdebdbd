# SPDX-License-Identifier: ISC
$(eval $(call unit_test,probes,sim,probes lib))
$(eval $(call unit_test,probes,sim_file,probes lib))
$(eval $(call unit_test,probes,script,probes lib))
$(call script_test,tests/probes/hostile.py)
$(call script_test,tests/probes/flows.py)
$(call script_test,tests/probes/client.py)
$(call script_test,tests/probes/cli.sh)
$(call script_test,tests/probes/api.sh)
