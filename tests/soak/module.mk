# SPDX-License-Identifier: ISC
$(call script_test,tests/soak/short.sh)
