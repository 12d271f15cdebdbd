$(eval $(call unit_test,lib,arena,lib))
$(eval $(call unit_test,lib,batch,lib))
$(eval $(call unit_test,lib,clock,lib))
$(eval $(call unit_test,lib,config,lib))
$(eval $(call unit_test,lib,option,lib))
$(eval $(call unit_test,lib,reader,lib))
$(eval $(call unit_test,lib,record,lib))
$(eval $(call unit_test,lib,spool_crash,lib))
$(eval $(call unit_test,lib,record_parse,lib))
$(eval $(call unit_test,lib,buf,lib))
$(eval $(call unit_test,lib,spool_faults,lib))
$(eval $(call unit_test,lib,spool_format,lib))
$(eval $(call unit_test,lib,timer,lib))

# These have a spool in a folder of their own.
OBJS += $(O)/tests/lib/spool-fixture.o
spool_test = $(eval $(call unit_test,lib,$(1),lib)) \
	$(eval $(O)/tests/lib/test_$(1): $(O)/tests/lib/spool-fixture.o)
$(call spool_test,spool)
$(call spool_test,spool_recover)
$(call spool_test,spool_room)
$(call spool_test,spool_sync)
