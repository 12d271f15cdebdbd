#!/bin/sh
# SPDX-License-Identifier: ISC
# usage: run.sh BUILD SECONDS: fuzzes every parser on a copy of its corpus.
set -u
build=$1
seconds=$2
status=0
for program in "$build"/tests/fuzz/fuzz_*; do
	[ -x "$program" ] && [ -f "$program" ] || continue
	case $program in *.*) continue ;; esac
	parser=${program##*/fuzz_}
	work=$build/corpus/$parser
	mkdir -p "$work" "$build/findings"
	echo "fuzz: $parser for $seconds s"
	"$program" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 \
		-artifact_prefix="$build/findings/$parser-" \
		"$work" "tests/corpus/$parser" >"$work.log" 2>&1 || {
		echo "fuzz: $parser FAILED, see $work.log" >&2
		status=1
	}
	grep -E 'Done|stat::number_of_executed' "$work.log" | tail -n 1
done
exit $status
