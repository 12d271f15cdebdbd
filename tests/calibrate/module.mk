# SPDX-License-Identifier: ISC
# One program for the claims of one part; see claim.h.
CLAIMS := counts links seasons spikes
$(foreach c,$(CLAIMS),$(eval $(call tool,tests/calibrate/claim-$(c),tests/calibrate/claim-$(c).c,analysis lib))\
	$(eval $(O)/tests/calibrate/claim-$(c): $(O)/tests/calibrate/claim.o))
OBJS += $(O)/tests/calibrate/claim.o
$(call script_test,tests/calibrate/short.sh)
$(call script_test,tests/calibrate/resume.sh)
