# SPDX-License-Identifier: ISC
collector_SRCS += collector/collector.c

# The names of the scripts that this version ships; the collector only warns
# by them.
SHIPPED_SCRIPTS := $(sort $(wildcard probes/scripts/*.lua))
$(O)/collector/fleet/shipped-scripts.c: $(SHIPPED_SCRIPTS) collector/module.mk
	@echo "  GEN  $@"
	@mkdir -p $(@D)
	@{ echo '#include "collector/fleet/campaign-check.h"'; \
		echo 'const char *const shipped_scripts[] = {'; \
		printf '    "%s",\n' $(basename $(notdir $(SHIPPED_SCRIPTS))); \
		echo '    0};'; } >$@
$(O)/collector/fleet/shipped-scripts.o: %.o: %.c collector/fleet/campaign-check.h
	@$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<
collector_GENERATED := $(O)/collector/fleet/shipped-scripts.o

$(eval $(call program,sonde-collector,collector/main.c,collector web analysis lib))
