#!/bin/sh
# SPDX-License-Identifier: ISC
# The command line: words, help, exit codes, signals, and the examples of the
# man pages as they are printed there.
# shellcheck disable=SC2317 # functions are called through check
set -u
cd "$(dirname "$0")/../../.." || exit 1
. tests/tap.sh
O=${O:-build}
sonde=$O/bin/sonde
[ -x "$sonde" ] || skip_all "$sonde is not built"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
export LC_ALL=C NO_COLOR=1
sim="sim:tests/golden/line.sim"

# exits CODE WORDS ARGUMENTS...: the exit code, and words in either stream;
# under the limit of prlimit(1) that $limit holds, where it holds one
limit=
exits() {
	want=$1
	words=$2
	shift 2
	timeout 60 ${limit:+prlimit "$limit"} "$sonde" "$@" \
		>"$dir/out" 2>&1 </dev/null
	got=$?
	[ "$got" = "$want" ] && grep -qF -- "$words" "$dir/out" && return
	echo "# exit $got, expected $want, and '$words' in:"
	sed 's/^/# /' "$dir/out"
	return 1
}

# example PAGE NUMBER: the literal block of that number in a man page
example() {
	awk -v n="$2" '/^\.Bd -literal/ { i++; on = i == n; next }
		/^\.Ed/ { on = 0 } on' "$1" | sed 's/\\e/\\/g'
}

version=$(cat VERSION)
check "--version says which" exits 0 "sonde $version" --version
check "no word is --help" exits 0 "Examples:"
check "--help leads with examples" \
	sh -c "'$sonde' --help | sed -n 3p | grep -q Examples"
check "an unknown word gets the nearest" \
	exits 2 "did you mean 'trace'" trac web
check "a host alone is asked about" \
	exits 2 "did you mean \`sonde trace 192.0.2.1\`?" 192.0.2.1
check "so is a script's file" \
	exits 2 "did you mean \`sonde run my.lua\`?" my.lua
check "an unknown option alone is refused" exits 2 "-x: unknown option" -x
check "a common option alone wants more" \
	exits 2 "expected a command or a script" --net "$sim"
check "help knows the nearest too" exits 2 "did you mean 'trace'" help trac
check "an unknown option gets the nearest" \
	exits 2 "did you mean --method" trace --methd udp web
check "a value out of range says the range" \
	exits 2 "1 to 255" --net "$sim" trace --max-ttl 256 web
check "common options may come first" \
	exits 0 "reached in 6 hops" --net "$sim" trace web
check "who is started without stdin and stderr measures" \
	sh -c "'$sonde' --net '$sim' trace web <&- 2>&- |
		grep -q 'reached in 6 hops'"
check "common options may come last" \
	exits 0 "reached in 6 hops" trace web --net "$sim"
check "a script's options need not come first" \
	exits 0 "tcp" trace web --net "$sim" -M tcp
check "help of a script has its options and the common ones" \
	exits 0 "--gap-limit" help trace
check "so has --help" exits 0 "--deadline" trace --help
check "help has no blanks at the end of a line" sh -c \
	"! '$sonde' help spikes | grep -n ' \$'"
check "help of a command" exits 0 "shell" help completion
check "help of nothing known" exits 2 "no script" help nothing
check "formats are listed" exits 0 "json" help formats
check "an unknown format is refused" \
	exits 2 "--format" --net "$sim" trace --format xml web
# A script that was changed is a stranger, whose header a child reads.
mkdir "$dir/own"
for script in probes/scripts/*.lua; do
	{ cat "$script"; echo '-- changed'; } >"$dir/own/${script##*/}"
done
headers() {
	"$sonde" scripts --json | sed 's/"path":"[^"]*"//'
}
same_headers() {
	[ "$(headers)" = "$(SONDE_SCRIPTS=$dir/own headers)" ]
}
check "headers read at build time are those that a child reads" same_headers
check "scripts are listed with a line each" exits 0 "hop by hop" scripts
check "scripts --json is JSON" sh -c \
	"'$sonde' scripts --json | python3 -c 'import json, sys
assert \"trace\" in [json.loads(l)[\"name\"] for l in sys.stdin]'"
cat >"$dir/same.py" <<'END'
import csv, json, sys
table = list(csv.DictReader(open(sys.argv[1], newline="")))
[trace] = [json.loads(line)["trace"] for line in open(sys.argv[2])]
assert {row["flow_id"] for row in table} == {trace["flow_id"]}, table[0]
assert len(table) == len(trace["replies"])
for row, reply in zip(table, trace["replies"]):
    assert row["from"] == (reply["from"] or ""), row
    assert int(row["probe_ttl"]) == reply["probe_ttl"], row
    for key in ("rtt_ns", "tx_wall_ns", "reply_ttl", "tcp_flags"):
        assert row[key] == str(reply.get(key, "")), (key, row)
    icmp = reply["from"] and "tcp_flags" not in reply
    for key in ("icmp_type", "icmp_code"):
        assert row[key] == (str(reply[key]) if icmp else ""), (key, row)
    assert row["denied"] == reply.get("denied", ""), row
END
same_of() {
	"$sonde" --net "$sim" trace --csv --sport 7 "$@" >"$dir/csv" 2>>"$dir/err"
	"$sonde" --net "$sim" trace --json --sport 7 "$@" >"$dir/json" 2>>"$dir/err"
	python3 "$dir/same.py" "$dir/csv" "$dir/json"
}
check "CSV and JSON say the same of a trace" same_of web
check "and of one by TCP" same_of -M tcp -p 443 web
check "and of one that was denied" same_of 224.0.0.5
for shell in bash zsh fish; do
	check "completion for $shell knows trace's options" \
		exits 0 "gap-limit" completion "$shell"
done
"$sonde" completion bash >"$dir/complete" && check \
	"completion for bash is bash" bash -n "$dir/complete"
check "completion for another shell is refused" \
	exits 2 "bash, zsh or fish" completion tcsh
check "a network that does not exist" exits 2 "live" --net moon trace web
check "a simulation that does not exist" \
	exits 74 "No such file" --net sim:/nonexistent trace web
printf 'vantage me 10.0.0.1\nlink me you\n' >"$dir/bad.sim"
check "a wrong simulation says file and line" \
	exits 78 "bad.sim:2: link" --net "sim:$dir/bad.sim" trace 10.0.0.2
check "a policy that does not exist" \
	exits 74 "No such file" --net "$sim" trace --policy /nonexistent web
echo 'no-such-key = 1' >"$dir/policy"
check "a wrong policy says file and line" \
	exits 78 "policy:1" --net "$sim" trace --policy "$dir/policy" web
check "hosts are read from standard input" sh -c "echo web |
	'$sonde' --net '$sim' ping -c 1 -f - | grep -q 'ttl 59'"
check "a file of hosts that does not exist" \
	exits 74 "No such file" --net "$sim" ping -f /nonexistent
check "the wrong family of an address" \
	exits 1 "IPv6" --net "$sim" ping -6 192.0.2.80
check "run needs a file" exits 2 "expected a script" run
check "run takes a file, not a shipped name" \
	exits 74 "No such file" run trace
check "run --help is its own" exits 0 "FILE.lua" run --help

example man/sonde.1 1 >"$dir/lab.sim"
example man/sonde.1 2 >"$dir/want"
as_printed() {
	(cd "$dir" && "$sonde" --net sim:lab.sim trace --sport 45061 \
		web) >"$dir/out" 2>&1
	sed 1d "$dir/want" | diff - "$dir/out"
}
here=$(pwd)
case $sonde in /*) ;; *) sonde=$here/$sonde ;; esac
SONDE_SCRIPTS=$here/probes/scripts
export SONDE_SCRIPTS
check "sonde(1): the example prints what the page shows" as_printed
check "sonde(1): a list of hosts on a port" sh -c "cd '$dir' && echo web |
	'$sonde' --net sim:lab.sim ping -c 1 -M tcp -p 443 -f - |
	grep -q ' ms  ttl '"
example man/sonde-sim.5 1 >"$dir/man1.sim"
example man/sonde-sim.5 2 >"$dir/man2.sim"
{ echo "vantage me 198.51.100.10"; example man/sonde-sim.5 3; } >"$dir/man3.sim"
example man/sonde-sim.5 4 >"$dir/man4.sim"
example man/sonde-sim.5 5 >"$dir/man5.sim"
example man/sonde-sim.5 6 >"$dir/man6.sim"
{
	echo 'return {operands = {type = "host"}, run = function()'
	example man/sonde-script.7 2
	echo 'print(running.count .. " run, " .. tostring(running:is_over())) end}'
} >"$dir/many.lua"
example man/sonde-script.7 4 >"$dir/ids.lua"
check "sonde-sim(5): the first example runs" exits 0 "reached in 4 hops" \
	--net "sim:$dir/man1.sim" trace --flow 3 web
check "sonde-sim(5): the second example runs" exits 0 "8 sent" \
	--net "sim:$dir/man2.sim" ping -c 8 web
check "sonde-sim(5): each line of the third example is read" exits 1 "not sent" \
	--net "sim:$dir/man3.sim" ping -c 1 192.0.2.20
check "sonde-sim(5): the fourth example runs" exits 0 " ms  ttl 255" \
	--net "sim:$dir/man4.sim" ping -c 1 203.0.113.2
check "sonde-sim(5): the fifth example runs" exits 0 "vantage east" \
	--net "sim:$dir/man5.sim@west,east" trace web
check "sonde-sim(5): its second command, too" exits 0 '"received":10' \
	--net "sim:$dir/man5.sim@west,east" ping -c 20 --json web
check "sonde-sim(5): the sixth example runs" exits 0 "reached" \
	--net "sim:$dir/man6.sim" trace core.100000
check "sonde-script(7): the example of the library runs" exits 0 "0 run, true" \
	--net "sim:$dir/man1.sim" run "$dir/many.lua" web web
check "sonde-script(7): the example runs" exits 0 "ip_id=" \
	--net "sim:$dir/man1.sim" run "$dir/ids.lua" -c 3 web
check "sonde-script(7): the example has help" exits 0 "its number" \
	help "$dir/ids.lua"
check "its records are JSON" sh -c "'$sonde' --net 'sim:$dir/man1.sim' \
	run --json '$dir/ids.lua' -c 1 web | grep -q '\"kind\":\"train\"'"

# What fails is named as it was asked for.
"$sonde" records --collector http://127.0.0.1:1 --kind result 2>"$dir/err"
check "records that cannot be had are named" \
	grep -q '/api/v1/records?kind=result' "$dir/err"

cat >"$dir/patient.lua" <<'END'
return {fields = {{name = "why", type = "text"}}, run = function()
	print("waiting")
	while true do
		local result, why = sonde.next(sonde.now_ns() + sonde.s)
		if why ~= "time" then return sonde.record{why = why} end
	end
end}
END
check "shortly before the deadline a script may record" \
	exits 0 "why=deadline" --net "$sim" run --deadline 3s "$dir/patient.lua"
# Until the script in $pid says that it waits, or has ended.
says_waiting() {
	until grep -qs waiting "$dir/err"; do
		kill -0 "$pid" 2>/dev/null || return 1
		sleep 0.1
	done
}
# The end of a run is two octets of the log, which no line can be.
cat >"$dir/forger.lua" <<'END'
return {fields = {{name = "n", type = "integer"}}, run = function()
	print("\0")
	print("\0\1")
	print("")
	for i = 1, 3000 do sonde.record{n = i} end
end}
END
all_records() {
	"$sonde" --net "$sim" run --json "$dir/forger.lua" >"$dir/out" \
		2>"$dir/err"
	[ $? = 0 ] && [ "$(grep -c '"train"' "$dir/out")" = 3000 ]
}
check "no log line is taken for the end, all records come before it" \
	all_records
interrupted() {
	rm -f "$dir/err"
	"$sonde" --net "$sim" run "$dir/patient.lua" >"$dir/out" 2>"$dir/err" &
	pid=$!
	says_waiting
	kill -INT "$pid"
	wait "$pid"
	[ $? = 1 ] && grep -q why=interrupted "$dir/out"
}
check "an interrupt lets a script record" interrupted
# As timeout(1) sends it, to the command and to its group.
interrupted_twice() {
	rm -f "$dir/err"
	timeout -s INT 2 "$sonde" --net "$sim" run "$dir/patient.lua" \
		>"$dir/out" 2>"$dir/err"
	grep -q why=interrupted "$dir/out" && ! grep -q "by signal" "$dir/err"
}
check "and one that comes twice at once is one" interrupted_twice
# A script that runs for long comes after all else that there is to do.
yields() {
	rm -f "$dir/err"
	"$sonde" --net "$sim" run "$dir/patient.lua" >"$dir/out" 2>"$dir/err" &
	pid=$!
	says_waiting
	for _ in $(seq 120); do
		last=$(ps -o cls= --ppid "$pid" | grep -c B)
		[ "$last" -gt 0 ] && break
		sleep 0.1
	done
	kill -INT "$pid"
	wait "$pid"
	[ "$last" = 1 ]
}
check "a script that runs for long yields" yields
orphans() {
	rm -f "$dir/err"
	"$sonde" --net "$sim" run "$dir/patient.lua" >"$dir/out" 2>"$dir/err" &
	pid=$!
	says_waiting
	children=$(pgrep -P "$pid")
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	for _ in $(seq 120); do
		left=
		for child in $children; do
			[ -e "/proc/$child" ] && left="$left $child"
		done
		[ -z "$left" ] && [ -n "$children" ] && return
		sleep 0.5
	done
	echo "# still there:$left"
	return 1
}
check "nothing is left when the command is killed" orphans
check "a reader that goes away ends the run" sh -c \
	"'$sonde' --net '$sim' trace --json -q 16 web web web |
	head -c 1 >/dev/null" 2>/dev/null

# A script that has shown two replies and then waits to be interrupted.
cat >"$dir/slow.sim" <<'END'
vantage me 10.0.0.1/24
host web 10.0.0.2
link me web
END
cat >"$dir/slow.lua" <<'END'
return {operands = {type = "host"}, run = function(args)
	local probe = sonde.icmp{dst = args.operands[1].address}
	local results = sonde.start({{probe = probe:with{seq = 1}},
		{probe = probe:with{seq = 2}}})
	for i = 1, 2 do
		sonde.next()
		sonde.show_ping{probes = {results[i]}, number = i}
	end
	print("waiting")
	while true do
		local result, why = sonde.next(sonde.now_ns() + sonde.s)
		if not result and why ~= "time" then break end
	end
	sonde.record_ping{probes = results}
end}
END
# With what was printed before the interrupt, once that is $1 lines with a TTL.
shown() {
	lines=$1
	shift
	rm -f "$dir/err"
	"$sonde" --net "sim:$dir/slow.sim" run "$1" "$dir/slow.lua" web \
		>"$dir/out" 2>"$dir/err" &
	pid=$!
	says_waiting
	while kill -0 "$pid" 2>/dev/null &&
		[ "$(grep -c '  ttl ' "$dir/out")" -lt "$lines" ]; do
		sleep 0.1
	done
	cp "$dir/out" "$dir/early"
	kill -INT "$pid"
	wait "$pid"
	cat "$dir/early"
}
shows_text() {
	[ "$(shown 2 --format=text | grep -c '  ttl ')" = 2 ] &&
		[ "$(grep -c '  ttl ' "$dir/out")" = 2 ] &&
		grep -q '2 sent, 2 received' "$dir/out"
}
shows_no_json() {
	[ -z "$(shown 0 --json)" ] && [ "$(grep -c ping "$dir/out")" = 1 ]
}
check "the replies of a ping are shown as they come, once" shows_text
check "in JSON a ping is one record all the same" shows_no_json

# A machine without name spaces for users, made inside one.
weak='echo 0 >/proc/sys/user/max_user_namespaces &&
	echo 0 >/proc/sys/user/max_net_namespaces'
if unshare -Ur true 2>/dev/null; then
	refuses() {
		unshare -Ur sh -c "$weak && '$sonde' --net '$sim' trace web" \
			>"$dir/out" 2>&1
		[ $? = 77 ] && grep -q -e --allow-weak-sandbox "$dir/out"
	}
	warns() {
		unshare -Ur sh -c "$weak && '$sonde' --net '$sim' trace \
			--allow-weak-sandbox web" >"$dir/out" 2>&1 &&
			grep -q 'WARNING.* WITHOUT ' "$dir/out"
	}
	check "a sandbox with a hole is refused" refuses
	check "unless allowed, and then loudly" warns
else
	skip "a sandbox with a hole is refused" "no user name spaces here"
fi

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	cp "$sonde" "$dir/sonde" && chmod 755 "$dir/sonde"
	mkdir "$dir/scripts" && cp probes/scripts/*.lua "$dir/scripts"
	unprivileged() {
		SONDE_SCRIPTS=$dir/scripts setpriv --reuid=65534 \
			--regid=65534 --clear-groups "$dir/sonde" trace \
			127.0.0.1 >"$dir/out" 2>&1
		[ $? = 77 ] && grep -q setcap "$dir/out"
	}
	check "without permission it says what grants it" unprivileged
else
	skip "without permission it says what grants it" "needs root"
fi
# no_memory: what of it is refused says which limit and how to raise it
no_memory() (
	limit=--data=2048000
	exits 75 "raise ulimit -d (of a service: LimitDATA)" \
		--net "$sim" ping -c 1 web
)
if grep -q __asan_init "$sonde"; then
	skip "a limit of memory is named" "AddressSanitizer"
else
	check "a limit of memory is named" no_memory
fi
done_testing
