# SPDX-License-Identifier: ISC
$(eval $(call tool,tests/exactly-once/generator,tests/exactly-once/generator.c,probes lib))
$(call script_test,tests/exactly-once/run.sh)
$(call script_test,tests/exactly-once/chaos.py)
$(call script_test,tests/exactly-once/restore.py)
