# SPDX-License-Identifier: ISC
analysis_SRCS += analysis/link-score.c analysis/path-set.c analysis/path.c \
	analysis/spike-pack.c analysis/spikes.c analysis/topology.c
