# SPDX-License-Identifier: ISC
$(eval $(call unit_test,probes/agent/config,agent_state,probes lib))
$(eval $(call unit_test,probes/agent/keeper,keeper,probes lib))
$(O)/tests/probes/agent/keeper/test_keeper: \
	$(O)/tests/lib/record/result-fixture.o
$(eval $(call unit_test,probes/agent/scheduler,schedule,probes lib))
$(eval $(call unit_test,probes/agent/scheduler,worklist,probes lib))
$(eval $(call unit_test,probes/agent/shipper,upload,probes lib))
$(eval $(call unit_test,probes/agent/supervisor,agent_messages,probes lib))
$(call script_test,tests/probes/agent/agent.py)
$(call script_test,tests/probes/agent/results.py)
$(call script_test,tests/probes/agent/first_sight.py)
$(call script_test,tests/probes/agent/libraries.sh)

$(eval $(call unit_test,probes/ipc,counters,probes lib))
$(eval $(call unit_test,probes/ipc,entry_queue,probes lib))
$(eval $(call unit_test,probes/ipc,frame_batch,probes lib))
$(eval $(call unit_test,probes/ipc,precedence,probes lib))
$(eval $(call unit_test,probes/ipc,process,probes lib))
$(eval $(call unit_test,probes/sandbox,sandbox,probes lib))
$(eval $(call unit_test,probes/net,net,probes lib))
$(eval $(call unit_test,probes/net/live,live,probes lib))
$(eval $(call unit_test,probes/net/live,live_bypass,probes lib))
$(eval $(call unit_test,probes/net/live,live_copies,probes lib))
$(eval $(call unit_test,probes/net/live,live_filter,probes lib))
$(eval $(call unit_test,probes/net/live,live_message,probes lib))
$(eval $(call unit_test,probes/net/live,live_route,probes lib))
$(eval $(call unit_test,probes/net/live,netlink,probes lib))
$(eval $(call unit_test,probes/net/sim,sim,probes lib))
$(eval $(call unit_test,probes/net/sim,sim_file,probes lib))
$(eval $(call unit_test,probes/net/sim,sim_rude,probes lib))
$(call script_test,tests/probes/net/sim/flows.py)
$(call script_test,tests/probes/net/sim/lengths.py)
$(call script_test,tests/probes/net/sim/worlds.py)

$(eval $(call unit_test,probes/packet,build,probes lib))
$(eval $(call unit_test,probes/packet,match,probes lib))
$(eval $(call unit_test,probes/packet,match_table,probes lib))
$(eval $(call unit_test,probes/packet,sweep,probes lib))
$(eval $(call tool,tests/probes/build-print,tests/probes/packet/build-print.c,probes lib))
$(call script_test,tests/probes/packet/build.py)

$(eval $(call unit_test,probes/policy,policy,probes lib))
$(eval $(call tool,tests/probes/policy-print,tests/probes/policy/policy-print.c,probes lib))
$(call script_test,tests/probes/policy/policy.py)

# These have a guardian, workers and a network that is a list.
GUARDIAN_FIXTURE := $(O)/tests/probes/guardian/guardian-fixture.o \
	$(O)/tests/probes/guardian/guardian-net.o
OBJS += $(GUARDIAN_FIXTURE)
guardian_test = \
	$(eval $(call unit_test,probes/guardian,$(1),probes lib,-lpthread)) \
	$(eval $(O)/tests/probes/guardian/test_$(1): $(GUARDIAN_FIXTURE))
$(call guardian_test,guardian)
$(call guardian_test,guardian_replies)
$(call guardian_test,guardian_worker)

$(eval $(call unit_test,probes/script,script,probes lib))
$(call script_test,tests/probes/script/hostile.py)
$(call script_test,tests/probes/script/api.sh)
$(call script_test,tests/probes/script/results.py)

$(eval $(call unit_test,probes/sensor,aggregate,probes lib))
$(eval $(call unit_test,probes/sensor,local_hosts,probes lib))
$(eval $(call unit_test,probes/sensor,payload_store,probes lib))
$(eval $(call unit_test,probes/sensor,pcap_file,probes lib))
$(eval $(call unit_test,probes/sensor,sensor,probes lib))
$(eval $(call unit_test,probes/sensor,sensor_engine,probes lib))
$(eval $(call unit_test,probes/sensor,table,probes lib))
$(eval $(call unit_test,probes/sensor/detect,builtin,probes lib))
$(call script_test,tests/probes/sensor/sensor.py)
$(call script_test,tests/probes/sensor/sensor_live.py)
$(call script_test,tests/probes/sensor/sensor_hostile.py)

$(call script_test,tests/probes/cli/client.py)
$(call script_test,tests/probes/cli/cli.sh)
$(call script_test,tests/probes/cli/ends.py)
$(call script_test,tests/probes/cli/targets.sh)
$(eval $(call unit_test,probes/cli,target_list,probes lib))
