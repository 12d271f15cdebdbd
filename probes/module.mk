probes_SRCS += probes/cmd/registry.c
