# SPDX-License-Identifier: ISC
# A file a kind: all there are, so that a kind adds no line here.
collector_SRCS += $(sort $(wildcard collector/ingest/kinds/*.c))
