# SPDX-License-Identifier: ISC
$(call script_test,tests/web/browser-unit.sh)
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
