#!/bin/sh
# SPDX-License-Identifier: ISC
# The collector's configuration: every key is in the man page with nothing that
# is not a key, the printed form loads, and mistakes are reported with their line.
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
check "it is reported with line and neighbour" \
	grep -q ":2: .*did you mean 'state-dir'" "$dir/err"
try 'series-bin = "2m"'
check "a value out of range is the file's fault" [ $? = 78 ]
check "it is reported by name" grep -q ':1: .*series-bin' "$dir/err"
"$collector" -c "$dir/none" 2>"$dir/err"
check "a missing file is named" grep -q "$dir/none" "$dir/err"

# The check refuses what the start would, with the line to fix.
refuse() { # what, pattern, text of the file
	printf '%s\n' "$3" >"$dir/wrong"
	"$collector" --check -c "$dir/wrong" >/dev/null 2>"$dir/err"
	code=$?
	check "--check refuses $1" [ "$code" = 78 ]
	check "and says so" grep -q "wrong:$2" "$dir/err"
}
refuse "a port out of range" '3: listen: expected' "
state-dir = '$dir/s'
listen = {'127.0.0.1:80000'}"
refuse "the second address of a list" '3: listen: .*plain HTTP' "listen = {
'127.0.0.1:1',
'http://0.0.0.0:1'}
state-dir = '$dir/s'"
refuse "TLS without files" '1: listen: https needs' "listen = {'0.0.0.0:1'}
state-dir = '$dir/s'"
refuse "a certificate that is not there" '2: tls-cert' "listen = {'0.0.0.0:1'}
tls-cert = '$dir/none'
tls-key = '$dir/none'
state-dir = '$dir/s'"
refuse "bins that do not divide a minute" \
	'2: series-bin: expected a divisor of 60 s, got 7 s' "
series-bin = 7s
state-dir = '$dir/s'"
refuse "bins of broken seconds" '2: series-bin: .* got 1.5 s' "
series-bin = 1500ms
state-dir = '$dir/s'"
refuse "an alarm's bin that is no level" '1: alarm-bin' "alarm-bin = 2m
state-dir = '$dir/s'"
refuse "gone before late" '2: gone-after' "late-after = 2m
gone-after = 1m
state-dir = '$dir/s'"
refuse "an empty state-dir" '1: state-dir: expected' "state-dir = ''"
refuse "pages that are not there" '1: web-root' "web-root = '$dir/none'
state-dir = '$dir/s'"
head -c 40 /dev/zero | tr '\0' x >"$dir/token"
chmod 644 "$dir/token"
refuse "a token that others can read" '1: admin-token-file: .*0600' \
	"admin-token-file = '$dir/token'
state-dir = '$dir/s'"
refuse "a token without a file" '1: admin-token-file: expected a file' \
	"admin-token-file = ''
state-dir = '$dir/s'"
refuse "an address that stands twice" '3: listen: .*1:18999. again' "listen = {
'127.0.0.1:18999',
'http://127.0.0.1:18999'}
state-dir = '$dir/s'"
printf 'state-dir = "%s/none/state"\n' "$dir" >"$dir/wrong"
"$collector" --check -c "$dir/wrong" >/dev/null 2>"$dir/err"
check "a folder that cannot be made is an error" [ $? = 74 ]
check "by its line" grep -q 'wrong:1: state-dir' "$dir/err"
check "and the check made nothing" [ ! -e "$dir/s" ]

# What only the collector itself can see wrong.
cat >"$dir/conf" <<END
state-dir = "$dir/state"
listen = "127.0.0.1:0"
series-bin = "7s"
END
"$collector" -c "$dir/conf" 2>"$dir/err"
check "bins that do not divide a minute are refused" [ $? = 78 ]
check "and named" grep -q 'conf:3: series-bin: expected a divisor' "$dir/err"

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
check "its database too" [ "$(stat -c %a "$dir/state/telemetry/00000001.db")" = 600 ]
kill -TERM "$pid"
wait "$pid"
check "TERM ends it with 0" [ $? = 0 ]
check "and the log is folded into the database" \
	[ ! -s "$dir/state/telemetry/00000001.db-wal" ]

# A database that is gone is begun only with --new-database.
"$collector" --check-db -c "$dir/conf" >"$dir/out"
check "an undamaged database is ok" [ "$? $(cat "$dir/out")" = "0 ok" ]
mv "$dir/state/telemetry/00000001.db" "$dir/kept"
"$collector" -c "$dir/conf" 2>"$dir/err"
check "a missing database is an I/O error" [ $? = 74 ]
check "the error shows the way on" grep -q 'missing.*--new-database' "$dir/err"
"$collector" --check-db -c "$dir/conf" 2>"$dir/err"
check "nothing to check either" [ $? = 74 ]
{
	head -c 4096 "$dir/kept"
	head -c 20480 /dev/zero | tr '\0' x
} >"$dir/state/telemetry/00000001.db"
"$collector" --check-db -c "$dir/conf" >"$dir/out"
check "damage is a problem found" [ $? = 1 ]
check "and reported" [ -s "$dir/out" ]
done_testing
