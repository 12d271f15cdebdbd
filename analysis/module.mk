analysis_SRCS += analysis/topology.c
