#!/bin/sh
# SPDX-License-Identifier: ISC
# The developer's tools do what CONTRIBUTING.md says of them.
. tests/tap.sh
O=${O:-build}
make=${MAKE:-make}
dir=$(mktemp -d)
agent=
cleanup() {
	[ -z "$agent" ] || kill "$agent" 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT

$make -s O="$O" help >"$dir/help"
listed() {
	for target in all demo check unit t stress format coverage bench lint \
		compile_commands.json golden-update calibrate fuzz soak; do
		grep -q "^  $target  *[a-z]" "$dir/help" || {
			echo "# not listed: $target"
			return 1
		}
	done
}
check "help lists the targets" listed

# --- unit.sh -----------------------------------------------------------------
mkdir -p "$dir/build/tests"
program() { # name, what it does
	printf '#!/bin/sh\n%s\n' "$2" >"$dir/build/tests/$1"
	chmod +x "$dir/build/tests/$1"
}
program good 'echo "ok 1 - a"; echo "ok 2 - b"'
program bad 'echo "ok 1 - a"; echo "not ok 2 - b"; exit 1'
program dies 'echo "ok 1 - a"; kill -9 $$'
program mute 'exit 0'
program rare "echo 'ok 1 - a'; ! mkdir '$dir/once' 2>/dev/null"
unit() { # times, programs...
	times=$1
	shift
	O=$dir/build tests/unit.sh "$times" 4 "$@" >"$dir/out"
}
check "good tests pass" unit 1 "$dir/build/tests/good"
check "they are counted" grep -q '^2 passed, 0 failed' "$dir/out"
for name in bad dies mute; do
	unit 1 "$dir/build/tests/good" "$dir/build/tests/$name"
	check "a test that is $name fails" [ $? = 1 ]
	check "and is named" grep -q "^FAIL  $name" "$dir/out"
done
unit 40 "$dir/build/tests/rare"
check "a test that fails now and then is found" \
	grep -q '^FAIL  rare: 1 of 40' "$dir/out"

# --- fuzz/run.sh -------------------------------------------------------------
parser() { # name, what it does; a replay of a finding has no -max_total_time
	mkdir -p "$dir/fuzz/tests/fuzz"
	printf '#!/bin/sh\ncase $1 in -max*) %s ;; *) %s ;; esac\n' "$2" "$3" \
		>"$dir/fuzz/tests/fuzz/fuzz_$1"
	chmod +x "$dir/fuzz/tests/fuzz/fuzz_$1"
}
fuzz() { # seconds
	FUZZ_SEED=${2:-7} tests/fuzz/run.sh "$dir/fuzz" "$1" >"$dir/out" 2>&1
}
parser good "echo g >>$dir/runs" :
parser stop "echo s >>$dir/runs; exit 130" :
fuzz 130
check "a round that is stopped says so" [ $? = 130 ]
parser stop "echo \$2 >>$dir/runs" :
check "it goes on" fuzz 130
check "with the parsers that have not had their seconds" \
	test "$(tr '\n' ' ' <"$dir/runs")" = "g g g s -seed=7 -seed=67 -seed=127 "
check "a finished round is followed by another" fuzz 60
check "from the start" grep -q 'good for 60 s' "$dir/out"
parser bad "echo x >$dir/fuzz/findings/bad-crash-1; exit 77" "exit 77"
fuzz 60
check "a finding fails the round" [ $? = 1 ]
check "and is named with how to have it again" \
	grep -q 'FOUND  *bad: .*fuzz_bad .*bad-crash-1$' "$dir/out"
parser bad : :
check "a repaired one does not fail it" fuzz 60
check "and is for the corpus" grep -q 'repaired: .*bad-crash-1' "$dir/out"
parser mute "exit 77" :
fuzz 60
check "a failure without an input fails too" [ $? = 1 ]

# --- compile_commands.json ---------------------------------------------------
database() {
	$make -s O="$O" compile_commands.json >/dev/null && python3 - <<'EOF'
import json
import os
import shlex
entries = json.load(open("compile_commands.json", encoding="utf-8"))
files = {e["file"] for e in entries}
assert {"lib/base/reader.c", "probes/agent-main.c",
        "tests/lib/base/test_reader.c"} <= files, files
assert all(os.path.exists(f) for f in files)
words = shlex.split(entries[0]["command"])
assert "-std=c17" in words and words[-1] == entries[0]["file"], words
assert any(w.startswith('-DSONDE_VERSION="') for w in words), words
EOF
}
check "the compilation database is true" database

# --- gdb ---------------------------------------------------------------------
held_by_gdb() {
	printf 'name = "here"\nstate-dir = "%s/state"\nnet = "sim:%s/sim"\n' \
		"$dir" "$dir" >"$dir/conf"
	printf 'heartbeat = "1s"\nallow-weak-sandbox = true\n' >>"$dir/conf"
	printf 'vantage here 192.0.2.2/24\nrouter g 192.0.2.1\nlink here g\n' \
		>"$dir/sim"
	chmod 755 "$dir"
	"$O/bin/sonde-agent" -c "$dir/conf" 2>"$dir/log" &
	agent=$!
	tries=0
	while [ "$(wc -w <"/proc/$agent/task/$agent/children")" -lt 2 ] &&
		[ $tries -lt 600 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	timeout 60 gdb -q -batch -x tests/agent.gdb -ex "attach-agent $agent" \
		-ex 'break spool_append' -ex continue -ex processes \
		-ex 'in keeper backtrace 1' -ex 'detach inferiors 1 2 3' \
		>"$dir/gdb" 2>&1
	kill "$agent"
	wait "$agent"
	agent=
	grep -q '^\* *[0-9]* *[0-9]* keeper *spool_append' "$dir/gdb" &&
		grep -q ' guardian ' "$dir/gdb" &&
		grep -q '^#0  spool_append' "$dir/gdb" || {
		sed 's/^/# /' "$dir/gdb"
		return 1
	}
}
what="gdb holds an agent's processes and stops the one that comes there"
if [ "$(id -u)" != 0 ]; then
	skip "$what" "needs root"
elif ! gdb -q -batch -ex 'python print(1)' 2>/dev/null | grep -qx 1; then
	skip "$what" "no gdb with Python"
else
	check "$what" held_by_gdb
fi
done_testing
