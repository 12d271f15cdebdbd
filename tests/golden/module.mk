# SPDX-License-Identifier: ISC
$(call script_test,tests/golden/golden.sh)

.PHONY: golden-update
golden-update: programs ## accept what golden cases print now (NAME=x: one)
	@O=$(O) tests/golden/golden.sh --update $(NAME)
