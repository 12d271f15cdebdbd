# SPDX-License-Identifier: ISC
$(eval $(call unit_test,probes,build,probes lib))
$(eval $(call tool,tests/probes/build-print,tests/probes/build-print.c,probes lib))
$(call script_test,tests/probes/build.py)
$(eval $(call tool,tests/probes/policy-print,tests/probes/policy-print.c,probes lib))
$(call script_test,tests/probes/policy.py)
$(eval $(call unit_test,probes,policy,probes lib))

# These have a guardian, workers and a network that is a list.
GUARDIAN_FIXTURE := $(O)/tests/probes/guardian-fixture.o \
	$(O)/tests/probes/guardian-net.o
OBJS += $(GUARDIAN_FIXTURE)
guardian_test = $(eval $(call unit_test,probes,$(1),probes lib,-lpthread)) \
	$(eval $(O)/tests/probes/test_$(1): $(GUARDIAN_FIXTURE))
$(call guardian_test,guardian)
$(call guardian_test,guardian_replies)
$(call guardian_test,guardian_worker)

$(eval $(call unit_test,probes,match,probes lib))
