# SPDX-License-Identifier: ISC
$(eval $(call unit_test,probes,sensor_signature,probes lib))
