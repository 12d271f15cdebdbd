#!/bin/sh
# SPDX-License-Identifier: ISC
# make install puts a working Sonde under DESTDIR, and uninstall takes it all
# away again.
. tests/tap.sh
to=$(mktemp -d)
trap 'rm -rf "$to"' EXIT
build=${O:-build}


check "install succeeds" \
	make -s O="$build" DESTDIR="$to" PREFIX=/usr install
check "sonde runs from there" "$to/usr/bin/sonde" --version
check "the agent is there" test -x "$to/usr/sbin/sonde-agent"
check "the collector is there" test -x "$to/usr/sbin/sonde-collector"
check "scripts are there" test -f "$to/usr/share/sonde/scripts/trace.lua"
check "the man page is there" test -f "$to/usr/share/man/man1/sonde.1"
check "nothing was written outside DESTDIR's prefix" \
	sh -c '! find "$1" ! -type d ! -path "$1/usr/*" | grep .' _ "$to"
check "uninstall succeeds" \
	make -s O="$build" DESTDIR="$to" PREFIX=/usr uninstall
check "uninstall leaves no file" sh -c '! find "$1" ! -type d | grep .' _ "$to"
done_testing
