# SPDX-License-Identifier: ISC
$(eval $(call unit_test,lib/record,batch,lib))
$(eval $(call unit_test,lib/record,record,lib))
$(eval $(call unit_test,lib/record,outcome,lib))
$(eval $(call unit_test,lib/record,record_parse,lib))
$(eval $(call unit_test,lib/record,record_read,lib))
OBJS += $(O)/tests/lib/record/random-record.o
$(O)/tests/lib/record/test_record_read: $(O)/tests/lib/record/random-record.o
# These have a schema of every column type.
OBJS += $(O)/tests/lib/record/result-fixture.o
$(eval $(call unit_test,lib/record,result,lib))
$(O)/tests/lib/record/test_result: $(O)/tests/lib/record/result-fixture.o
$(eval $(call unit_test,lib/record,result_row,lib))
$(O)/tests/lib/record/test_result_row: $(O)/tests/lib/record/result-fixture.o
