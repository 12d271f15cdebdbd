# SPDX-License-Identifier: ISC
probes_SRCS += probes/agent/agent-config.c
probes_SRCS += probes/agent/agent-options.c
probes_SRCS += probes/agent/backoff.c
probes_SRCS += probes/agent/children.c
probes_SRCS += probes/agent/counters.c
probes_SRCS += probes/agent/enrol.c
probes_SRCS += probes/agent/heartbeat.c
probes_SRCS += probes/agent/identity.c
probes_SRCS += probes/agent/keeper.c
probes_SRCS += probes/agent/keeper-main.c
probes_SRCS += probes/agent/once.c
probes_SRCS += probes/agent/pass.c
probes_SRCS += probes/agent/process.c
probes_SRCS += probes/agent/producer.c
probes_SRCS += probes/agent/restart.c
probes_SRCS += probes/agent/run-request.c
probes_SRCS += probes/agent/runs.c
probes_SRCS += probes/agent/schedule.c
probes_SRCS += probes/agent/shipper-start.c
probes_SRCS += probes/agent/shipping.c
probes_SRCS += probes/agent/shipping-reply.c
probes_SRCS += probes/agent/supervisor.c
probes_SRCS += probes/agent/url.c
probes_SRCS += probes/agent/worklist.c
probes_SRCS += probes/sandbox/capabilities.c
probes_SRCS += probes/sandbox/landlock.c
probes_SRCS += probes/sandbox/namespaces.c
probes_SRCS += probes/sandbox/rlimits.c
probes_SRCS += probes/sandbox/sandbox.c
probes_SRCS += probes/sandbox/seccomp.c
# All that needs libcurl; sonde-agent links none of it.
https_SRCS += probes/agent/http.c
https_SRCS += probes/agent/shipper.c
https_SRCS += probes/agent/shipper-post.c
$(eval $(call program,sonde-shipper,probes/shipper-main.c,https probes lib))
$(eval $(call program,sonde-agent,probes/agent-main.c,probes analysis lib))
