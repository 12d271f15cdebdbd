# SPDX-License-Identifier: ISC
$(eval $(call unit_test,collector,histogram,collector analysis lib))
$(eval $(call unit_test,collector,known,collector analysis lib))
$(eval $(call unit_test,collector,path,collector analysis lib))

# These have a collector in a folder of their own.
COLLECTOR_FIXTURE := $(O)/tests/collector/fixture.o $(O)/tests/web/synth.o
OBJS += $(O)/tests/collector/fixture.o
collector_test = $(eval $(call unit_test,collector,$(1),collector analysis lib)) \
	$(eval $(O)/tests/collector/test_$(1): $(COLLECTOR_FIXTURE))
$(call collector_test,ingest)
$(call collector_test,store)
$(call collector_test,enrol)
$(call collector_test,campaign)
$(call collector_test,rollup)
$(call collector_test,topology)
$(call collector_test,alarms)
$(call collector_test,events)
$(call collector_test,records)
$(call collector_test,retention)
$(call collector_test,crash)
$(call collector_test,threads)
$(call collector_test,writer)
$(call collector_test,fault)
$(call script_test,tests/collector/conf.sh)

$(call thread_test,collector,threads)
$(call thread_test,collector,writer)
$(call thread_test,collector,events)
$(call script_test,tests/collector/races.sh)
