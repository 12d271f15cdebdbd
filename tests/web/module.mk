# SPDX-License-Identifier: ISC
$(call script_test,tests/web/browser-unit.sh)
