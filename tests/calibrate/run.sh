#!/bin/sh
# SPDX-License-Identifier: ISC
# usage: run.sh [--short]
# Tests every claim with a probability on CALIBRATE_TRUTHS truths (1000) of
# CALIBRATE_SEED (1), prints a table and fails when a claim is broken.  A run
# that was stopped goes on from $O/calibrate.  --short: TAP, 80 truths, from
# the start.
set -u
build=${O:-build}
seed=${CALIBRATE_SEED:-1}
if [ "${1:-}" = --short ]; then
	truths=80
	state=$build/calibrate/short
	rm -rf "$state"
else
	truths=${CALIBRATE_TRUTHS:-1000}
	state=$build/calibrate/$truths-$seed
	echo "calibrate: $truths truths, seed $seed"
fi
mkdir -p "$state"

failed=0
for program in "$build"/tests/calibrate/claim-*; do
	case ${program##*/} in *.*) continue ;; esac
	name=${program##*/claim-}
	"$program" "$truths" "$state/$name.state" "$seed" >"$state/$name.rows"
	code=$?
	[ "$code" = 0 ] || failed=1
	# A claim that cannot be tested is not kept.
	if [ "$code" -gt 1 ]; then
		printf 'BROKEN\t%s could not run (exit %d)\t\t\t\n' \
			"$name" "$code" >>"$state/$name.rows"
	fi
done
set -- "$state"/*.rows
[ -e "$1" ] || {
	echo "calibrate: no claim is built in $build" >&2
	exit 2
}

if [ "$state" = "$build/calibrate/short" ]; then
	cat "$@" | awk -F '\t' '
		$1 == "-" { print "# " $2 ": " $4; next }
		{ print ($1 == "ok" ? "ok " : "not ok ") ++n " - " $2
		  print "#   promised " $3 ", measured " $4 ", bound " $5 }
		END { print "1.." n }'
	exit $failed
fi
cat "$@" | awk -F '\t' '
	BEGIN { form = "%-58s %-16s %-28s %-16s %s\n"
		printf form, "claim", "promised", "measured", "bound", "verdict" }
	{ printf form, $2, $3, $4, $5, $1; n[$1]++ }
	END { printf "%d claims kept, %d broken\n", n["ok"], n["BROKEN"] }'
rm -f "$state"/*.state
exit $failed
