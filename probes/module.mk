probes_SRCS += probes/cmd/registry.c
probes_SRCS += probes/agent/counters.c
probes_SRCS += probes/sandbox/capabilities.c
probes_SRCS += probes/sandbox/landlock.c
probes_SRCS += probes/sandbox/namespaces.c
probes_SRCS += probes/sandbox/rlimits.c
probes_SRCS += probes/sandbox/sandbox.c
probes_SRCS += probes/sandbox/seccomp.c
