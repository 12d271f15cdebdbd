collector_SRCS :=
