#!/bin/sh
# SPDX-License-Identifier: ISC
# The collector's configuration: every key is in the man page with nothing that
# is not a key, the printed form loads, and mistakes are told with their line.
. tests/tap.sh
collector=${O:-build}/bin/sonde-collector
page=man/sonde-collector.conf.5
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
: >"$dir/empty"

keys() {
	"$collector" --check -c "$dir/empty" | sed 's/^# //; s/ =.*//' | sort
}
documented() {
	sed -n 's/^\.It Ic //p' "$page" | tr -d ' ' | tr ',' '\n' | sort
}

check "there are keys" [ "$(keys | wc -l)" -gt 20 ]
check "the man page names every key and no other" \
	[ "$(keys)" = "$(documented)" ]
"$collector" --check -c "$dir/empty" >"$dir/printed"
"$collector" --check -c "$dir/printed" >"$dir/again"
check "the printed configuration loads and prints the same" \
	cmp -s "$dir/printed" "$dir/again"

try() { # text of the file
	printf '%s\n' "$1" >"$dir/wrong"
	"$collector" --check -c "$dir/wrong" 2>"$dir/err"
}
try '# a comment
state-dri = "/tmp"'
check "an unknown key is the file's fault" [ $? = 78 ]
check "it is told with line and neighbour" \
	grep -q ":2: .*did you mean 'state-dir'" "$dir/err"
try 'series-bin = "2m"'
check "a value out of range is the file's fault" [ $? = 78 ]
check "it is told by name" grep -q ':1: .*series-bin' "$dir/err"
"$collector" -c "$dir/none" 2>"$dir/err"
check "a missing file is named" grep -q "$dir/none" "$dir/err"

# What only the collector itself can see wrong.
cat >"$dir/conf" <<END
state-dir = "$dir/state"
listen = "127.0.0.1:0"
series-bin = "7s"
END
"$collector" -c "$dir/conf" 2>"$dir/err"
check "bins that do not divide a minute are refused" [ $? = 78 ]
check "and named" grep -q 'series-bin: expected a divisor' "$dir/err"

# It starts, says where, ends at TERM with nothing left open.
sed -i 's/7s/5s/' "$dir/conf"
"$collector" -c "$dir/conf" 2>"$dir/err" &
pid=$!
for _ in $(seq 100); do
	grep -q 'serving http://127.0.0.1:' "$dir/err" && break
	sleep 0.1
done
check "it says where it serves" grep -q serving "$dir/err"
check "its folder is its own" [ "$(stat -c %a "$dir/state")" = 700 ]
check "its database too" [ "$(stat -c %a "$dir/state/sonde.db")" = 600 ]
kill -TERM "$pid"
wait "$pid"
check "TERM ends it with 0" [ $? = 0 ]
check "and the log is folded into the database" \
	[ ! -s "$dir/state/sonde.db-wal" ]

# A database that is gone is not begun anew unless somebody says so.
"$collector" --check-db -c "$dir/conf" >"$dir/out"
check "an undamaged database is ok" [ "$? $(cat "$dir/out")" = "0 ok" ]
mv "$dir/state/sonde.db" "$dir/kept"
"$collector" -c "$dir/conf" 2>"$dir/err"
check "a missing database is an I/O error" [ $? = 74 ]
check "the way on is told" grep -q 'missing.*--new-database' "$dir/err"
"$collector" --check-db -c "$dir/conf" 2>"$dir/err"
check "nothing to check either" [ $? = 74 ]
{
	head -c 4096 "$dir/kept"
	head -c 20480 /dev/zero | tr '\0' x
} >"$dir/state/sonde.db"
"$collector" --check-db -c "$dir/conf" >"$dir/out"
check "damage is a problem found" [ $? = 1 ]
check "and told" [ -s "$dir/out" ]
done_testing
