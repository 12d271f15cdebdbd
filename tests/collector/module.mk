# SPDX-License-Identifier: ISC
$(eval $(call unit_test,collector,histogram,collector analysis lib))
$(eval $(call unit_test,collector,path,collector analysis lib))
