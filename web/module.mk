web_SRCS :=
