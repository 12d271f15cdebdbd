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
# What root built, others can run but not build on.
can_build() {
	closed=$(find "${O:-build}" -type d ! -writable -print -quit 2>/dev/null)
	[ -n "$closed" ] || return 0
	"${MAKE:-make}" -n --no-print-directory programs demo-tools 2>/dev/null |
		grep -qvE '^(:|true)?$' || return 0
	echo "demo: '$closed' belongs to $(stat -c %U "$closed"), $(id -un) cannot" \
		"write into it, and something has to be built: build as that user," \
		"give the folder away with chown -R, or build elsewhere with" \
		"make demo O=FOLDER" >&2
	return 1
}
can_build || exit 1
step 1 "install what is missing" tests/install-deps.sh run
step 2 "build the programs and the pages" \
	"${MAKE:-make}" --no-print-directory -j"$(nproc)" programs demo-tools
DEMO_STEP=3 exec python3 tests/demo/demo.py
