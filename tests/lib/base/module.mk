# SPDX-License-Identifier: ISC
$(eval $(call unit_test,lib/base,arena,lib))
$(eval $(call unit_test,lib/base,buf,lib))
$(eval $(call unit_test,lib/base,clock,lib))
$(eval $(call unit_test,lib/base,handles,lib))
$(eval $(call unit_test,lib/base,reader,lib))
$(eval $(call unit_test,lib/base,timer,lib))
