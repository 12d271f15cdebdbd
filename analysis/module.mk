analysis_SRCS :=
