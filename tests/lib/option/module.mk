# SPDX-License-Identifier: ISC
$(eval $(call unit_test,lib/option,config,lib))
$(eval $(call unit_test,lib/option,option,lib))
$(eval $(call unit_test,lib/option,param,lib))
$(eval $(call unit_test,lib/option,way,lib))
