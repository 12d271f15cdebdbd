# SPDX-License-Identifier: ISC
collector_SRCS += collector/registry/registry-agents.c \
	collector/registry/registry-alarms.c \
	collector/registry/registry-campaigns.c \
	collector/registry/registry-coverage.c collector/registry/registry-detectors.c \
	collector/registry/registry-events.c \
	collector/registry/registry-import.c \
	collector/registry/registry-reader.c collector/registry/registry-results.c \
	collector/registry/registry-schema.c collector/registry/registry.c
