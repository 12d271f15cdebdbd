# SPDX-License-Identifier: ISC
$(eval $(call program,sonde,probes/cli/sonde.c,https probes analysis lib))
$(eval $(call program,sonde-agent,probes/agent-main.c,probes analysis lib))
$(eval $(call program,sonde-shipper,probes/shipper-main.c,https probes lib))
