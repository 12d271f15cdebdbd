#!/bin/sh
# SPDX-License-Identifier: ISC
# make demo: what it takes to get there, in steps with a time each, then the
# demo itself (demo.py, which goes on counting).
set -u
step() { # number, name, command...
	number=$1 name=$2
	shift 2
	echo "demo: step $number of 6: $name"
	began=$(date +%s)
	"$@" || exit
	echo "demo: step $number took $(($(date +%s) - began)) s"
}
step 1 "install what is missing" tests/install-deps.sh run
step 2 "build the programs and the pages" \
	"${MAKE:-make}" --no-print-directory -j"$(nproc)" programs tools
DEMO_STEP=3 exec python3 tests/demo/demo.py
