#!/bin/sh
# SPDX-License-Identifier: ISC
# A calibration that was stopped goes on as if it had not been.
. tests/tap.sh
O=${O:-build}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for name in counts links; do
	claim=$O/tests/calibrate/claim-$name
	"$claim" 40 "$dir/whole" 7 >"$dir/rows"
	"$claim" 15 "$dir/parts" 7 >/dev/null
	"$claim" 40 "$dir/parts" 7 >"$dir/rows2"
	check "$name: stopped after 15 of 40 truths, the same sums" \
		cmp "$dir/whole" "$dir/parts"
	check "$name: and the same rows" cmp "$dir/rows" "$dir/rows2"
	"$claim" 40 "$dir/parts" 8 >/dev/null
	check "$name: another seed begins again" \
		test "$(head -n 1 "$dir/parts" | cut -d ' ' -f 2,3)" = "8 40"
	check "$name: and draws others" test "$(sed 1d "$dir/whole")" != \
		"$(sed 1d "$dir/parts")"
	rm "$dir"/*
done
done_testing
