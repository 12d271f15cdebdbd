# SPDX-License-Identifier: ISC
$(eval $(call unit_test,probes,agent_messages,probes lib))
$(eval $(call unit_test,probes,agent_worklist,probes lib))
$(eval $(call unit_test,probes,counters,probes lib))
$(eval $(call unit_test,probes,sandbox,probes lib))
$(eval $(call unit_test,probes,schedule,probes lib))
$(eval $(call unit_test,probes,keeper,probes lib))
$(eval $(call unit_test,probes,shipping,probes lib))
$(eval $(call unit_test,probes,agent_state,probes lib))
