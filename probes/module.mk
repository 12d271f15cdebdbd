probes_SRCS :=
