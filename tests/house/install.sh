#!/bin/sh
# SPDX-License-Identifier: ISC
# make install puts a working Sonde under DESTDIR, and uninstall takes it all
# away again.
. tests/tap.sh
to=$(mktemp -d)
trap 'rm -rf "$to" "$to.conf" "$to.state"' EXIT
build=${O:-build}
printf 'state-dir = "%s.state"\n%s' "$to" \
	'collector = "http://127.0.0.1:9" allow-weak-sandbox = true' >"$to.conf"

check "install succeeds" \
	make -s O="$build" DESTDIR="$to" PREFIX=/usr install
check "sonde runs from there" "$to/usr/bin/sonde" --version
check "and finds its commands there" sh -c \
	'"$1/usr/bin/sonde" --help | grep -q Examples' _ "$to"
check "the agent is there" test -x "$to/usr/sbin/sonde-agent"
check "its shipper is there" test -x "$to/usr/libexec/sonde/sonde-shipper"
check "the agent finds its shipper there" sh -c '
	"$1/usr/sbin/sonde-agent" enrol -c "$2" --token 0 2>&1 |
		grep -q 127.0.0.1:9/api' _ "$to" "$to.conf"
check "the collector is there" test -x "$to/usr/sbin/sonde-collector"
check "scripts are there" test -f "$to/usr/share/sonde/scripts/trace.lua"
check "the man page is there" test -f "$to/usr/share/man/man1/sonde.1"
check "nothing was written outside DESTDIR's prefix" \
	sh -c '! find "$1" ! -type d ! -path "$1/usr/*" | grep .' _ "$to"
check "uninstall succeeds" \
	make -s O="$build" DESTDIR="$to" PREFIX=/usr uninstall
check "uninstall leaves no file" sh -c '! find "$1" ! -type d | grep .' _ "$to"
done_testing
