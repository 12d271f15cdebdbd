analysis_SRCS += analysis/spikes.c
analysis_SRCS += analysis/topology.c
