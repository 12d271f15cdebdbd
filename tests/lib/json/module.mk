# SPDX-License-Identifier: ISC
$(eval $(call unit_test,lib/json,json_buf,lib))
