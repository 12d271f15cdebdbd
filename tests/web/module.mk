# SPDX-License-Identifier: ISC
$(call script_test,tests/web/browser-unit.sh)
$(eval $(call unit_test,web,params,web lib))
$(eval $(call unit_test,web,guard,web lib))
$(eval $(call unit_test,web,clients,web lib))
