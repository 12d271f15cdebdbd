# SPDX-License-Identifier: ISC
$(eval $(call unit_test,lib/record,batch,lib))
$(eval $(call unit_test,lib/record,record,lib))
$(eval $(call unit_test,lib/record,record_parse,lib))
