# SPDX-License-Identifier: ISC
$(eval $(call tool,tests/exactly-once/generator,tests/exactly-once/generator.c,probes lib))
$(eval $(call tool,tests/exactly-once/store-dump,tests/exactly-once/store-dump.c,collector analysis lib))
$(call script_test,tests/exactly-once/run.sh)
$(call script_test,tests/exactly-once/chaos.py)
$(call script_test,tests/exactly-once/restore.py)
