# SPDX-License-Identifier: ISC
$(eval $(call unit_test,lib/https,url,probes lib))
