# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# Sourced by shell tests: `check "sentence" command...`, `skip_all reason`,
# `skip "sentence" reason`, and at the end `done_testing`.
tap_count=0
tap_failed=0

check() {
	tap_what=$1
	shift
	tap_count=$((tap_count + 1))
	if "$@"; then
		echo "ok $tap_count - $tap_what"
	else
		echo "not ok $tap_count - $tap_what"
		tap_failed=$((tap_failed + 1))
	fi
}

skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

done_testing() {
	echo "1..$tap_count"
	[ "$tap_failed" = 0 ]
	exit
}
