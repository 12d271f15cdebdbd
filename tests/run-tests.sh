#!/bin/sh
# SPDX-License-Identifier: ISC
# usage: run-tests.sh UNIT_FOLDER [SCRIPT ...]
# Runs the unit tests and fuzz replays listed in UNIT_FOLDER, then the scripts;
# all speak TAP (ok, not ok, "ok # SKIP reason", "1..0 # SKIP reason").  A
# program that dies or says nothing is a failure.  Ends with the count.
set -u
units=$1
shift
logs=${O:-build}/check
mkdir -p "$logs"
passed=0 failed=0 skipped=0
skips=$logs/skips.txt
: >"$skips"

count() { # log, exit code, name
	p=0 f=1 s=0 # a log that cannot be read is a failure
	eval "$(awk -v code="$2" -v name="$3" -v skips="$skips" '
		/^1\.\.0.*# ?SKIP/ { s++; print name ": " $0 >>skips; next }
		/^ok .*# ?SKIP/ { s++; print name ": " $0 >>skips; next }
		/^ok/ { p++; next }
		/^not ok/ { f++ }
		END {
			if (code != 0 && !f) f++
			if (!p && !f && !s) f++
			printf "p=%d f=%d s=%d\n", p, f, s
		}' "$1")"
	passed=$((passed + p))
	failed=$((failed + f))
	skipped=$((skipped + s))
	if [ "$f" != 0 ]; then
		echo "FAIL  $3 (exit $2; $p passed, $f failed): $1"
		tail -n 60 "$1" | sed 's/^/      /'
	else
		echo "ok    $3 ($p passed, $s skipped)"
	fi
}

run() { # name, command...
	name=$1
	shift
	log=$logs/$(echo "$name" | tr '/' '_').log
	timeout -k 10 "${TEST_TIMEOUT:-900}" "$@" >"$log" 2>&1 </dev/null
	count "$log" $? "$name"
}

export CMOCKA_MESSAGE_OUTPUT=TAP
# What a test makes is not of the make that runs the tests.
unset MAKEFLAGS MFLAGS MAKELEVEL
# The sanitizer says where a thread crashed; cmocka's own handler would only end.
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:handle_abort=1:handle_segv=2:handle_sigbus=2
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
while read -r program; do
	[ -n "$program" ] || continue
	run "${program#*/tests/}" "$program"
done <"$units/unit.list"
while read -r program; do
	[ -n "$program" ] || continue
	parser=${program##*/fuzz_}
	run "fuzz/$parser" "$program" "tests/corpus/$parser"
done <"$units/fuzz.list"
for script; do
	run "${script#tests/}" "$script"
done

if [ -s "$skips" ]; then
	echo
	echo "Skipped, with the reason:"
	sed 's/^/  /' "$skips"
fi
echo
echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
