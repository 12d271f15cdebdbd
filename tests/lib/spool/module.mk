# SPDX-License-Identifier: ISC
$(eval $(call unit_test,lib/spool,spool_crash,lib))
$(eval $(call unit_test,lib/spool,spool_faults,lib))
$(eval $(call unit_test,lib/spool,spool_format,lib))

# These have a spool in a folder of their own.
OBJS += $(O)/tests/lib/spool/spool-fixture.o
spool_test = $(eval $(call unit_test,lib/spool,$(1),lib)) \
	$(eval $(O)/tests/lib/spool/test_$(1): \
		$(O)/tests/lib/spool/spool-fixture.o)
$(call spool_test,spool)
$(call spool_test,spool_recover)
$(call spool_test,spool_room)
$(call spool_test,spool_sync)
