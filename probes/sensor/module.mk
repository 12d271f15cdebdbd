# SPDX-License-Identifier: ISC
probes_SRCS += probes/sensor/aggregate.c probes/sensor/attempts.c \
	probes/sensor/capture-loop.c \
	probes/sensor/capture.c probes/sensor/capture-file.c \
	probes/sensor/capture-live.c probes/sensor/capture-replay.c \
	probes/sensor/contact-table.c probes/sensor/coverage.c probes/sensor/file-places.c \
	probes/sensor/finding.c \
	probes/sensor/first-packets.c probes/sensor/first-sight.c \
	probes/sensor/flood-fold.c \
	probes/sensor/sensor-engine.c \
	probes/sensor/local-hosts.c \
	probes/sensor/link-filter.c probes/sensor/time-check.c \
	probes/sensor/payload-store.c probes/sensor/prefetch.c \
	probes/sensor/sensor.c probes/sensor/sighting-record.c \
	probes/sensor/source-rows.c \
	probes/sensor/table.c probes/sensor/table-key.c \
	probes/sensor/target-set.c \
	probes/sensor/interface-state.c probes/sensor/live-frame.c \
	probes/sensor/live-interface.c probes/sensor/packet-feed.c \
	probes/sensor/packet-ring.c
