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
		'{ print "x;" $3 ";" $2 ";" $1 }' | sort -t\; -k3 |
		sed '1i other;dport;src_ip;timestamp' >"$dir/shuffled.csv"
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

# rises NAME: how many rises "sonde spikes --json" finds in $dir/NAME, as
# "port@onset"; what it says goes to $dir/err
rises() {
	name=$1
	shift
	"$sonde" spikes --json "$@" "$dir/$name" 2>"$dir/err" |
		jq -r 'select(.direction == "rise") | "\(.port)@\(.onset[:10])"' |
		tr '\n' ' '
}

# 30 days of 12 sources, then 10 of 50, as rows of "epoch day source".
outbreak() {
	awk 'BEGIN { for (d = 0; d < 40; d++)
		for (k = 0; k < (d < 30 ? 12 : 50); k++)
			print 1704067200 + d * 86400 + k * 700, d, k }'
}
dates() { # awk's own strftime is not everywhere
	outbreak | awk '{ d = $2; m = 1; if (d >= 31) { d -= 31; m = 2 }
		printf "2024-%02d-%02d 203.0.113.%d %d\n", m, d + 1, $3, $1 }'
}
want="null@2024-01-31 "
for form in \
	'{ print $1 ",203.0.113." $3 }' \
	'{ print $1 "000;203.0.113." $3 }' \
	'{ print $1 "000000\t203.0.113." $3 }' \
	'{ print $1 "000000000|203.0.113." $3 }' \
	'{ print $1 ".25,203.0.113." $3 }' \
	'NR == 1 { print "\357\273\277\"Start Time\",SRC_IP,ts" }
		{ print "x, 203.0.113." $3 " ," $1 }' \
	'NR == 1 { print "sensor,src_port,first_seen,source.ip" }
		{ print "s,6000," $1 ",[::ffff:203.0.113." $3 "]" }' \
	'{ print "{\"timestamp\":" $1 ",\"src_ip\":\"203.0.113." $3 "\"}" }'; do
	outbreak | awk "$form" >"$dir/form"
	check "rows as $(head -n 1 "$dir/form" | tr '\t' ' ')" \
		same "$want" "$(rises form)"
done
for form in \
	'NR == 1 { print "date,source" } { print $1 "," $2 }' \
	'NR == 1 { print "date,source" } { gsub("-", "", $1); print $1 "," $2 }' \
	'NR == 1 { print "day;src" } { gsub("-", "/", $1); print $1 ";" $2 }' \
	'{ print $1 "T01:30+02:00," $2 }' \
	'{ print $1 " 12:00:00.5 UTC," $2 }' \
	'{ print $1 "T12:00:00,5-0330;" $2 }'; do
	dates | awk "$form" >"$dir/form"
	check "dates as $(sed -n 2p "$dir/form")" \
		same "null@2024-01-3" "$(rises form | cut -c 1-14)"
done
check "a zone moves a time" same "2024-01-30" \
	"$(dates | awk '{ print $1 "T01:30+02:00," $2 }' |
		"$sonde" spikes --json - | jq -r '.onset[:10]' | head -n 1)"
dates | awk 'NR == 1 { print "date,source" } { print $1 "," $2 }' >"$dir/days"
"$sonde" spikes --bin 1h "$dir/days" >"$dir/out" 2>"$dir/err"
check "dates in bins of an hour are refused" same 2 $?
outbreak | awk 'NR == 1 { print "when,who,what,n" }
	{ print $1 ",203.0.113." $3 "," 23 "," 1 }' >"$dir/named"
check "--columns names columns" same "23@2024-01-31 " \
	"$(rises named --columns time=when,source=who,port=what)"
check "or counts them" same "null@2024-01-31 " \
	"$(rises named --columns time=1,source=2)"
check "a column of counts is the number" same "null@2024-01-31 " \
	"$(rises named --columns time=when,count=n)"
outbreak | awk 'NR == 1 { print "a,b" } { print $1 ",x" }' >"$dir/strange"
"$sonde" spikes "$dir/strange" >"$dir/out" 2>"$dir/err"
check "a table without a time that is known is an error" same 74 $?
check "which says what was expected and came" \
	grep -q 'line 1: expected a column time .*--columns.*, got a,b$' \
	"$dir/err"
"$sonde" spikes --columns time=zeit,source=b "$dir/strange" >"$dir/out" \
	2>"$dir/err"
check "and so is a name that is not there" grep -q 'zeit' "$dir/err"
"$sonde" spikes --columns port=3 "$dir/strange" >"$dir/out" 2>"$dir/err"
check "--columns without a time is a usage error" same 2 $?
outbreak | awk 'NR == 1 { print "ts,sensor,src_ip,dst_port" }
	{ print $1 ",one,203.0.113." $3 ",445" }' >"$dir/export"
rises export >"$dir/out"
check "what was taken for what is said" grep -q \
	"columns: time: 'ts', source: 'src_ip', port: 'dst_port'" "$dir/err"
outbreak | awk 'NR == 1 { print "Date/Time|Source IP|Dest. Port" }
	{ print $1 "|203.0.113." $3 "/32|445" }' >"$dir/titles"
check "titles of several words are known" same "445@2024-01-31 " \
	"$(rises titles)"
check "and a port is part of an alarm" same "445@2024-01-31 " \
	"$(cat "$dir/out")"
{
	printf '1970-01-01 00:00:0%d,x\n2106-02-07 06:00:0%d,x\n' 1 1 2 2
	outbreak | awk '{ print $1 ",203.0.113." $3 }'
} >"$dir/odd"
check "two rows of either end are set aside" same "$want" "$(rises odd)"
for odd in 1970-01-01 2106-02-07; do
	{
		echo "$odd 00:00:00,203.0.113.1"
		outbreak | awk '{ print $1 ",203.0.113." $3 }'
	} >"$dir/odd"
	check "one row of $odd is set aside" same "$want" "$(rises odd)"
	check "and said" grep -q "1 row is set aside.*$odd" "$dir/err"
	check "with no other alarm" same 1 \
		"$("$sonde" spikes --json "$dir/odd" 2>/dev/null | wc -l)"
done
printf 'time,source\n1700000000,\n1700000000,  \n1700000001,a\n' >"$dir/bad.csv"
"$sonde" spikes "$dir/bad.csv" >"$dir/out" 2>"$dir/err"
check "an empty source is a bad row" grep -q '2 bad rows' "$dir/err"
printf '{"summary":{}}\n{"first":"2024-01-01T00:00:00Z","src":"a","dport":null}\n' \
	>"$dir/sensor"
"$sonde" spikes "$dir/sensor" >"$dir/out" 2>"$dir/err"
check "the sensor's summary is no row" \
	sh -c "! grep -q 'bad row' '$dir/err'"
outbreak | awk '{ print $1 ",203.0.113." $3 }' | gzip >"$dir/packed"
check "gzip is unpacked" same "$want" "$(rises packed)"
head -c 200 "$dir/packed" >"$dir/torn"
"$sonde" spikes "$dir/torn" >"$dir/out" 2>"$dir/err"
check "a torn one is an error" same 74 $?
"$sonde" spikes --season 24 "$dir/export" >"$dir/out" 2>"$dir/err"
check "a season that is too long to be learnt is refused" same 2 $?
check "with the reason" grep -q 'season 24: two seasons are learnt' "$dir/err"
done_testing
