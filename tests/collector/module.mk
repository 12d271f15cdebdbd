# SPDX-License-Identifier: ISC
# $(call collector_test,folder,name): a unit test that has a collector in a
# folder of its own.
COLLECTOR_FIXTURE := $(O)/tests/collector/fixture.o $(O)/tests/web/synth.o
OBJS += $(O)/tests/collector/fixture.o
collector_test = \
	$(eval $(call unit_test,collector/$(1),$(2),collector analysis lib)) \
	$(eval $(O)/tests/collector/$(1)/test_$(2): $(COLLECTOR_FIXTURE))
$(call collector_test,core,chore_log)
$(call collector_test,core,event_log)
$(call collector_test,core,fault)
$(call collector_test,core,pair)
$(call collector_test,core,threads)
$(call collector_test,core,trusted_clock)
$(eval $(call unit_test,collector/core,trusted_time,collector lib))
$(call collector_test,core,writer)
$(O)/tests/collector/core/test_pair \
	$(O)/tests/collector/registry/test_registry_import: \
	$(O)/tests/collector/kill-vfs.o
OBJS += $(O)/tests/collector/kill-vfs.o
$(call collector_test,detect,blind)
$(call collector_test,detect,engine)
$(call collector_test,detect,subject_states)
OBJS += $(O)/tests/collector/detect/engine-fixture.o
$(O)/tests/collector/detect/test_engine \
	$(O)/tests/collector/detect/test_subject_states: \
	$(O)/tests/collector/detect/engine-fixture.o
$(call collector_test,fleet,campaign)
$(call collector_test,fleet,enrol)
$(call collector_test,ingest,ingest)
$(call collector_test,query,agent_unsent)
$(call collector_test,query,path_graph)
$(call collector_test,query,records)
$(call collector_test,query,results)
$(O)/tests/collector/query/test_results: $(O)/tests/lib/record/result-fixture.o
$(call collector_test,query,sightings)
$(call collector_test,query,unnamed_sources)
$(call collector_test,registry,registry_import)
$(call collector_test,store,block)
$(O)/tests/collector/store/test_block: $(O)/tests/lib/record/random-record.o
$(call collector_test,store/sqlite,crash)
$(call collector_test,store/sqlite,records)
$(call collector_test,store/sqlite,retention)
$(call collector_test,store/sqlite,rollup)
$(call collector_test,store/sqlite,store)
$(call collector_test,store/sqlite/rollup,gather)
$(call collector_test,store/sqlite/rollup,gather_bounds)
GATHER_WORLD := $(O)/tests/collector/store/sqlite/rollup/gather-world.o
GATHER_RECOUNT := $(O)/tests/collector/store/sqlite/rollup/gather-recount.o \
	$(O)/tests/collector/store/sqlite/rollup/gather-recount-paths.o
OBJS += $(GATHER_WORLD) $(GATHER_RECOUNT)
$(O)/tests/collector/store/sqlite/rollup/test_gather: \
	$(GATHER_WORLD) $(GATHER_RECOUNT)
$(O)/tests/collector/store/sqlite/rollup/test_gather_bounds: $(GATHER_WORLD)
$(call collector_test,store/sqlite/rollup,segment)
$(call collector_test,store/sqlite/rollup,sources)
$(call script_test,tests/collector/core/conf.sh)

$(call thread_test,collector/core,threads)
$(call thread_test,collector/core,writer)
$(call thread_test,collector/core,event_log)
$(call script_test,tests/collector/races.sh)
