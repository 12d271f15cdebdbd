#!/bin/sh
# SPDX-License-Identifier: ISC
# The demo as a test: 90 seconds of it, judged by what its API shows and by what
# it says (each step's time, each sight), and nothing of it left on the machine.
. tests/tap.sh
build=${O:-build}
logs=$build/check/demo
mkdir -p "$logs"
# Our demos live in a folder of our own: others may run one meanwhile.
scratch=$(mktemp -d)
chmod 755 "$scratch"
trap 'rm -rf "$scratch"' EXIT
before=$(ip netns list 2>/dev/null | sort)

run_demo() { # name, command...
	name=$1
	shift
	env DEMO_FOR="${DEMO_FOR:-90}" PORT=18411 DEMO_LOGS="$logs/$name" O="$build" \
		TMPDIR="$scratch" "$@" DEMO_STEP=3 python3 tests/demo/demo.py >"$logs/$name.tap" 2>"$logs/$name.txt"
	status=$?
	for number in 3 4 5 6; do
		grep -q "step $number took" "$logs/$name.txt" || status=1
	done
	[ "$(grep -c 'LOOK: ' "$logs/$name.txt")" = 3 ] || status=1
	sed 's/^/# /' "$logs/$name.tap" "$logs/$name.txt"
	return "$status"
}

leaves_nothing() {
	[ -z "$(ls "$scratch")" ] && ! pgrep -f "$scratch/" &&
		ip netns list 2>/dev/null | sort >"$scratch/after" &&
		! echo "$before" | comm -13 - "$scratch/after" | grep '^sonde[0-9]'
}

refuses_a_taken_port() {
	python3 - <<-'EOF'
		import os, socket, subprocess, sys
		with socket.create_server(("127.0.0.1", 0)) as taken:
		    port = str(taken.getsockname()[1])
		    demo = subprocess.run([sys.executable, "tests/demo/demo.py"],
		                          env=os.environ | {"PORT": port}, text=True, timeout=60,
		                          stderr=subprocess.PIPE, check=False)
		sys.exit(demo.returncode != 1 or demo.stderr.count("\n") != 1 or
		         f"127.0.0.1:{port}: " not in demo.stderr)
	EOF
}

command -v python3 >/dev/null 2>&1 || skip_all "python3 is not installed"
if [ "$(id -u)" = 0 ] && ip netns add sondetry 2>/dev/null; then
	ip netns del sondetry
	check "the lab's demo shows map, slow link and spike" run_demo lab
else
	skip "the lab's demo shows map, slow link and spike" \
		"needs root and network namespaces"
fi
check "the simulated demo shows map, slow link and spike" \
	run_demo sim DEMO_NET=sim
check "a port that is taken is reported" refuses_a_taken_port
check "nothing is left behind" leaves_nothing
done_testing
