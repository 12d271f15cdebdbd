# SPDX-License-Identifier: ISC
$(eval $(call unit_test,analysis,path,analysis lib))
$(eval $(call unit_test,analysis,path_set,analysis lib))
$(eval $(call unit_test,analysis,spikes,analysis lib))
$(eval $(call unit_test,analysis,topology,analysis lib))
$(call script_test,tests/analysis/spikes.sh)
