# SPDX-License-Identifier: ISC
probes_SRCS += probes/sensor/file/capture-input.c \
	probes/sensor/file/pcap-common.c probes/sensor/file/pcap-file.c probes/sensor/file/pcapng-file.c
