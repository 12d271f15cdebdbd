# SPDX-License-Identifier: ISC
collector_SRCS += collector/admin-token.c
collector_SRCS += collector/agents.c
collector_SRCS += collector/alarms.c
collector_SRCS += collector/campaign-check.c
collector_SRCS += collector/campaign-json.c
collector_SRCS += collector/campaign.c
collector_SRCS += collector/check.c
collector_SRCS += collector/collector.c
collector_SRCS += collector/enrol.c
collector_SRCS += collector/events.c
collector_SRCS += collector/fault.c
collector_SRCS += collector/histogram.c
collector_SRCS += collector/index.c
collector_SRCS += collector/ingest-events.c
collector_SRCS += collector/ingest.c
collector_SRCS += collector/intake.c
collector_SRCS += collector/json.c
collector_SRCS += collector/known.c
collector_SRCS += collector/map.c
collector_SRCS += collector/metrics.c
collector_SRCS += collector/path.c
collector_SRCS += collector/query-agents.c
collector_SRCS += collector/query-args.c
collector_SRCS += collector/query-links.c
collector_SRCS += collector/query-list.c
collector_SRCS += collector/query-overview.c
collector_SRCS += collector/query-records.c
collector_SRCS += collector/query-routes.c
collector_SRCS += collector/query-series.c
collector_SRCS += collector/query-sightings.c
collector_SRCS += collector/query-topology.c
collector_SRCS += collector/readers.c
collector_SRCS += collector/series.c
collector_SRCS += collector/settings.c
collector_SRCS += collector/sqlite.c
collector_SRCS += collector/store-sqlite-admin.c
collector_SRCS += collector/store-sqlite-files.c
collector_SRCS += collector/store-sqlite-ingest.c
collector_SRCS += collector/store-sqlite-paths.c
collector_SRCS += collector/store-sqlite-read.c
collector_SRCS += collector/store-sqlite-rollup.c
collector_SRCS += collector/store-sqlite-runs.c
collector_SRCS += collector/store-sqlite-schema.c
collector_SRCS += collector/store-sqlite-series.c
collector_SRCS += collector/store-sqlite-sightings.c
collector_SRCS += collector/store-sqlite-trim.c
collector_SRCS += collector/store-sqlite.c
collector_SRCS += collector/tick.c
collector_SRCS += collector/writer.c

# The names of the scripts that this version ships; the collector only warns
# by them.
SHIPPED_SCRIPTS := $(sort $(wildcard probes/scripts/*.lua))
$(O)/collector/shipped-scripts.c: $(SHIPPED_SCRIPTS) collector/module.mk
	@echo "  GEN  $@"
	@mkdir -p $(@D)
	@{ echo '#include "collector/campaign-check.h"'; \
		echo 'const char *const shipped_scripts[] = {'; \
		printf '    "%s",\n' $(basename $(notdir $(SHIPPED_SCRIPTS))); \
		echo '    0};'; } >$@
$(O)/collector/shipped-scripts.o: %.o: %.c collector/campaign-check.h
	@$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<
collector_GENERATED := $(O)/collector/shipped-scripts.o

$(eval $(call program,sonde-collector,collector/main.c,collector web analysis lib))
