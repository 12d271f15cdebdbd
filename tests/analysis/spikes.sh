#!/bin/sh
# SPDX-License-Identifier: ISC
# `sonde spikes` on a year of a real telescope, and on small files made here.
# shellcheck source=tests/tap.sh
. tests/tap.sh
set -u
sonde=${O:-build}/bin/sonde
data=${SONDE_DATA:-../shared/data}/slammer-2011.csv.gz
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# alarm DIRECTION FROM TO FILE: one whose onset is in FROM..TO (days)
alarm() {
	jq -es --arg way "$1" --arg from "$2" --arg to "$3" 'any(.[];
		.direction == $way and .onset[:10] >= $from and
		.onset[:10] <= $to)' "$4" >"$dir/jq.out"
}
none() { # the same, none
	! alarm "$@"
}
all() { # jq condition, file
	jq -es "all(.[]; $1)" "$2" >"$dir/jq.out"
}
same() {
	[ "$1" = "$2" ] || {
		echo "# expected '$1', got '$2'"
		false
	}
}

if [ -r "$data" ]; then
	"$sonde" spikes --json --bin 1d "$data" >"$dir/year"
	check "no rise before 10 March" \
		none rise 2011-01-01 2011-03-09 "$dir/year"
	check "the fall is dated 10 to 12 March" \
		alarm fall 2011-03-10 2011-03-12 "$dir/year"
	# What was known on the evening of 11 April.
	zcat "$data" | awk -F'"' 'NR == 1 || $2 < "2011-04-12"' \
		>"$dir/to-april.csv"
	"$sonde" spikes --json "$dir/to-april.csv" >"$dir/april"
	check "the return is found by 11 April" \
		alarm rise 2011-04-01 2011-04-11 "$dir/april"
	check "every line says its test and run length" all '
		.schema == "sonde-spike/1" and (.test | length) > 0 and
		.average_run_length == 1000 and .observed >= 0 and
		.expected >= 0 and (.onset | endswith("Z"))' "$dir/year"
	check "falls are below and rises above what was expected" all \
		'(.direction == "fall") == (.observed < .expected)' "$dir/year"
	zcat "$data" | "$sonde" spikes --json - >"$dir/stdin"
	check "standard input gives the same as a gzip file" \
		cmp -s "$dir/year" "$dir/stdin"
	# shuffled, other quotes, other time, other order of columns
	zcat "$data" | tail -n +2 | tr -d '"' | awk -F, \
		'{ print "x," $2 "," $1 }' | sort -t, -k2 |
		sed '1i other,source,time' >"$dir/shuffled.csv"
	"$sonde" spikes --json "$dir/shuffled.csv" >"$dir/shuffled"
	check "neither order nor quotes matter" \
		cmp -s "$dir/year" "$dir/shuffled"
else
	skip "a year of a telescope" "$data is not here"
fi

# 20 bins of 10 s with nobody, then two worms; one has 30 sources a bin.
awk 'BEGIN {
	print "1700000000,192.0.2.200,noise"
	for (b = 20; b < 26; b++)
		for (s = 0; s < 30; s++)
			printf "%d.5,198.51.100.%d,mirai\n",
				1700000000 + b * 10 + s % 10, s
}' >"$dir/worm.csv"
"$sonde" spikes --json --bin 10s "$dir/worm.csv" >"$dir/worm"
check "a worm in 10 s bins alarms in its first bin" same \
	"mirai rise 2023-11-14T22:16:40Z 2023-11-14T22:16:40Z" \
	"$(jq -r '"\(.signature) \(.direction) \(.onset) \(.detected)"' \
		"$dir/worm")"
awk -F, '{ printf "{\"time\":%s,\"source\":\"%s\",\"signature\":\"%s\"}\n",
	$1, $2, $3 }' "$dir/worm.csv" >"$dir/worm.ndjson"
"$sonde" spikes --json --bin 10s "$dir/worm.ndjson" >"$dir/worm-json"
check "NDJSON says the same as CSV" cmp -s "$dir/worm" "$dir/worm-json"
"$sonde" spikes --bin 10s "$dir/worm.csv" >"$dir/table"
check "the table names the signature" grep -q 'rise .* mirai' "$dir/table"

# Packets are not sources: one source may shout.
awk 'BEGIN { for (i = 0; i < 40; i++) {
	print 86400 * i ",192.0.2.1"
	for (k = 0; i == 35 && k < 500; k++) print 86400 * i + k ",192.0.2.1"
} }' >"$dir/shout.csv"
"$sonde" spikes --json "$dir/shout.csv" >"$dir/shout"
check "many packets of one source are no rise" test ! -s "$dir/shout"

printf '%s\n' time,source 1700000000,a '1700000000' never,b '{"time":1' \
	>"$dir/bad.csv"
"$sonde" spikes --json "$dir/bad.csv" >"$dir/out" 2>"$dir/err"
check "bad rows do not fail the good ones" same 0 $?
check "they are counted, with the first line" \
	grep -q '3 bad rows, the first in line 3: ' "$dir/err"
printf 'time,source\nx,y\n' >"$dir/all-bad.csv"
"$sonde" spikes "$dir/all-bad.csv" >"$dir/out" 2>"$dir/err"
check "only bad rows exit with 74" same 74 $?
"$sonde" spikes "$dir/absent.csv" >"$dir/out" 2>"$dir/err"
check "an absent file exits with 74" same 74 $?
"$sonde" spikes --bin 0s "$dir/bad.csv" >"$dir/out" 2>"$dir/err"
check "a bin of nothing is a usage error" same 2 $?
: >"$dir/empty.csv"
"$sonde" spikes --json "$dir/empty.csv" >"$dir/out" 2>"$dir/err"
check "an empty file is not an error" same 0 $?
done_testing
