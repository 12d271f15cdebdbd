# SPDX-License-Identifier: ISC
collector_SRCS += collector/detect/alarm-book.c collector/detect/alarm-detector.c \
	collector/detect/alarm-json.c collector/detect/blind.c \
	collector/detect/detector-silence.c collector/detect/detector-spikes.c \
	collector/detect/engine.c collector/detect/series.c \
	collector/detect/subject-states.c collector/detect/subjects.c
