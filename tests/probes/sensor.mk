# SPDX-License-Identifier: ISC
$(eval $(call unit_test,probes,sensor_distinct,probes lib))
$(eval $(call unit_test,probes,sensor_engine,probes lib))
$(eval $(call unit_test,probes,sensor_payloads,probes lib))
$(eval $(call unit_test,probes,sensor_signature,probes lib))
$(call script_test,tests/probes/sensor.py)
$(call script_test,tests/probes/sensor_live.py)
$(call script_test,tests/probes/sensor_hostile.py)
