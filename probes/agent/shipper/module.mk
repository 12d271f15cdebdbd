# SPDX-License-Identifier: ISC
probes_SRCS += probes/agent/shipper/shipper-start.c \
	probes/agent/shipper/upload.c
# Whatever needs libcurl; sonde-agent links none of it.
https_SRCS += probes/agent/shipper/shipper.c
