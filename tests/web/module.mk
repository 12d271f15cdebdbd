# SPDX-License-Identifier: ISC
$(call script_test,tests/web/browser-unit.sh)
$(call script_test,tests/web/browser.sh)
$(eval $(call unit_test,web/http,client_limits,web lib))
$(eval $(call unit_test,web/http,listen,web lib))
$(eval $(call unit_test,web/http,origin_check,web lib))
$(eval $(call unit_test,web/http,params,web lib))

# These run the HTTP face with a collector of their own behind it.
FACE_TEST := $(O)/tests/web/fake-collector.o $(O)/tests/web/http-client.o \
	$(O)/collector/query/query-params.o
OBJS += $(O)/tests/web/fake-collector.o $(O)/tests/web/http-client.o
$(eval $(call unit_test,web/http,server,web lib))
$(O)/tests/web/http/test_server: $(FACE_TEST)
$(eval $(call unit_test,web/api,collector_api,web lib))
$(O)/tests/web/api/test_collector_api: $(FACE_TEST)
$(eval $(call unit_test,web/api,body_cache,web lib))
$(call thread_test,web/api,body_cache)
$(eval $(call unit_test,web/api,streams,web lib))
$(O)/tests/web/api/test_streams: $(FACE_TEST)
$(call thread_test,web/http,server)
$(call thread_test,web/api,streams)

# Agents that exist only on the wire.

$(eval $(call tool,tests/web/agent-tool,tests/web/agent-tool.c,lib))
$(O)/tests/web/agent-tool: $(O)/tests/web/synth.o
SEED := $(addprefix $(O)/tests/web/,synth.o seed-net.o seed-results.o \
	seed-worm.o)
OBJS += $(SEED)
$(eval $(call tool,tests/web/seed,tests/web/seed.c,lib,$(call pkg,libcurl) -lm))
$(O)/tests/web/seed: $(SEED)
$(call script_test,tests/web/api/api.py)
$(call script_test,tests/web/api/contract.py)
$(eval $(call unit_test,web/api,openapi,web collector analysis lib))
$(call script_test,tests/web/api/download.py)
$(call script_test,tests/web/api/map-memory.py)
$(call script_test,tests/web/api/memory-bound.py)
