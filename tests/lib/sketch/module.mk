# SPDX-License-Identifier: ISC
$(eval $(call unit_test,lib/sketch,distinct,lib))
$(eval $(call unit_test,lib/sketch,histogram,lib))
$(eval $(call unit_test,lib/sketch,census,lib))
