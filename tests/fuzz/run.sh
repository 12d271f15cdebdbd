#!/bin/sh
# SPDX-License-Identifier: ISC
# usage: run.sh BUILD SECONDS [PARSER ...]
# Fuzzes each parser for SECONDS on its corpus and what earlier rounds made of
# it (BUILD/corpus).  A round that was interrupted goes on: BUILD/round holds
# its seed and the seconds that each parser has had, a slice at a time.  What
# was found is named at the end, and fails the round for as long as it fails.
# FUZZ_SEED: of a new round, else drawn.
set -u
build=$1
seconds=$2
shift 2
round=$build/round
findings=$build/findings
mkdir -p "$round" "$findings"
slice=60
status=0

if [ "$(cat "$round/seed" 2>/dev/null)" != \
	"${FUZZ_SEED:-$(cat "$round/seed" 2>/dev/null)}" ]; then
	rm -rf "$round"
	mkdir -p "$round"
fi
if [ -s "$round/seed" ]; then
	echo "fuzz: the round of seed $(cat "$round/seed") goes on"
else
	echo "${FUZZ_SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}" \
		>"$round/seed"
	echo "fuzz: seed $(cat "$round/seed")"
fi
seed=$(cat "$round/seed")

programs() { # those asked for, or all
	for program in "$build"/tests/fuzz/fuzz_*; do
		case ${program##*/} in *.*) continue ;; esac
		[ -x "$program" ] || continue
		parser=${program##*/fuzz_}
		case " ${wanted:-$parser} " in *" $parser "*) echo "$parser" ;; esac
	done
}
wanted=$*
[ -n "$(programs)" ] || {
	echo "fuzz: no such parser: ${wanted:-none is built in $build}" >&2
	exit 2
}

had() {
	cat "$round/$1.seconds" 2>/dev/null || echo 0
}

# A parser that fails is done: more seconds would find the same.
fuzz() { # parser
	work=$build/corpus/$1
	mkdir -p "$work"
	while [ "$(had "$1")" -lt "$seconds" ]; do
		rest=$((seconds - $(had "$1")))
		[ "$rest" -le "$slice" ] || rest=$slice
		echo "fuzz: $1 for $rest s"
		"$build/tests/fuzz/fuzz_$1" -max_total_time="$rest" \
			-seed=$((seed + $(had "$1"))) -rss_limit_mb=2048 \
			-timeout=10 -artifact_prefix="$findings/$1-" \
			"$work" "tests/corpus/$1" >"$work.log" 2>&1
		code=$?
		# Stopped from outside: not the parser's doing.
		case $code in 130 | 137 | 143 | 72) exit "$code" ;; esac
		if [ "$code" != 0 ]; then
			echo "fuzz: $1 FAILED (exit $code), see $work.log" >&2
			echo "$1" >>"$round/failed"
			echo "$seconds" >"$round/$1.seconds"
			return
		fi
		echo $(($(had "$1") + rest)) >"$round/$1.seconds"
		grep -E '^Done|stat::number_of_executed' "$work.log" |
			tail -n 1
	done
}

# Each finding by the program as it is now: what was repaired says so.
judge() {
	for finding in "$findings"/*; do
		[ -f "$finding" ] || continue
		parser=${finding##*/}
		parser=${parser%%-*}
		again="$build/tests/fuzz/fuzz_$parser -timeout=10 \
-rss_limit_mb=2048 $finding"
		if $again >/dev/null 2>&1; then
			echo "repaired: $finding (move it to tests/corpus/$parser)"
		else
			echo "FOUND     $parser: $again"
			status=1
		fi
	done
}

trap 'exit 130' INT TERM
for parser in $(programs); do
	fuzz "$parser"
done
judge
touch "$round/failed"
while read -r parser; do
	[ -n "$(find "$findings" -name "$parser-*")" ] || {
		echo "FOUND     $parser: it failed and left no input," \
			"see $build/corpus/$parser.log"
		status=1
	}
done <"$round/failed"
echo "fuzz: seed $seed, $(programs | wc -l) parsers, $seconds s each:" \
	"$([ $status = 0 ] && echo nothing found || echo failures above)"
[ -n "$wanted" ] || rm -rf "$round"
exit $status
