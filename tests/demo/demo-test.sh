#!/bin/sh
# SPDX-License-Identifier: ISC
# The demo as a test: 90 seconds of it, judged by what its API shows, and
# nothing of it left on the machine.
. tests/tap.sh
build=${O:-build}
logs=$build/check/demo
mkdir -p "$logs"

run_demo() { # name, command...
	name=$1
	shift
	env DEMO_FOR="${DEMO_FOR:-90}" PORT=18411 DEMO_LOGS="$logs/$name" O="$build" \
		"$@" python3 tests/demo/demo.py >"$logs/$name.tap" 2>"$logs/$name.txt"
	status=$?
	sed 's/^/# /' "$logs/$name.tap" "$logs/$name.txt"
	return $status
}

leaves_nothing() {
	! ip netns list | grep '^sonde[0-9]' && ! pgrep -f sonde-demo- &&
		! ls -d "${TMPDIR:-/tmp}"/sonde-demo-* 2>/dev/null
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
check "nothing is left behind" leaves_nothing
done_testing
