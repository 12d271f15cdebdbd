# SPDX-License-Identifier: ISC
$(call script_test,tests/web/browser-unit.sh)
$(call script_test,tests/web/browser.sh)
$(eval $(call unit_test,web,params,web lib))
$(eval $(call unit_test,web,guard,web lib))
$(eval $(call unit_test,web,clients,web lib))
$(eval $(call unit_test,web,listen,web lib))

# These run the HTTP face with a collector of their own behind it.
FACE_TEST := $(O)/tests/web/fake-collector.o $(O)/tests/web/http-client.o
OBJS += $(FACE_TEST)
$(eval $(call unit_test,web,server,web lib))
$(O)/tests/web/test_server: $(FACE_TEST)
$(eval $(call unit_test,web,streams,web lib))
$(O)/tests/web/test_streams: $(FACE_TEST)
$(call thread_test,web,server)
$(call thread_test,web,streams)

# Agents that exist only on the wire.

$(eval $(call tool,tests/web/agent-tool,tests/web/agent-tool.c,lib))
$(O)/tests/web/agent-tool: $(O)/tests/web/synth.o
SEED := $(addprefix $(O)/tests/web/,synth.o seed-net.o seed-worm.o)
OBJS += $(SEED)
$(eval $(call tool,tests/web/seed,tests/web/seed.c,lib,$(call pkg,libcurl) -lm))
$(O)/tests/web/seed: $(SEED)
$(call script_test,tests/web/api.py)
$(call script_test,tests/web/contract.py)
$(eval $(call unit_test,web,openapi,web collector analysis lib))
