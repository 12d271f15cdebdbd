# SPDX-License-Identifier: ISC
collector_SRCS += collector/registry/sqlite-registry.c
