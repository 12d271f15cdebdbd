#!/bin/sh
# SPDX-License-Identifier: ISC
# Targets of measurements: files as people leave them, ranges, lines that are
# wrong, families, and more targets than fit memory.
# shellcheck disable=SC2317 # functions are called through check
set -u
cd "$(dirname "$0")/../../.." || exit 1
. tests/tap.sh
O=${O:-build}
sonde=$O/bin/sonde
[ -x "$sonde" ] || skip_all "$sonde is not built"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export LC_ALL=C NO_COLOR=1
sim="sim:tests/golden/line.sim"

# measures CODE ADDRESSES ARGUMENTS...: by a script that records each operand
measures() {
	want=$1
	hosts=$2
	shift 2
	timeout 60 "$sonde" --net "$sim" run "$dir/each.lua" --json "$@" \
		>"$dir/out" 2>"$dir/err"
	got=$?
	found=$(python3 -c 'import json, sys
print(" ".join(json.loads(l)["train"]["fields"]["a"] for l in sys.stdin))' \
		<"$dir/out")
	[ "$got" = "$want" ] && [ "$found" = "$hosts" ] && return
	echo "# exit $got, expected $want; '$found', expected '$hosts'"
	sed 's/^/# /' "$dir/err"
	return 1
}

says() {
	grep -qF -- "$1" "$dir/err" && return
	echo "# '$1' is not in:"
	sed 's/^/# /' "$dir/err"
	return 1
}

cat >"$dir/each.lua" <<'END'
return {operands = {type = "host", min = 1, max = 1000},
	fields = {{name = "a", type = "address"}},
	run = function(args)
		for operand in args.operands do
			sonde.record{a = operand.address}
		end
	end}
END

printf '\357\273\277192.0.2.80\r\n\r\n# all\r\nhidden\t# one\r\n' >"$dir/file"
check "marks, carriage returns and comments are no part of a name" \
	measures 0 "192.0.2.80 192.0.2.81" -f "$dir/file"
printf '192.0.2.80\n1.2.3\nhidden\n' >"$dir/file"
check "one wrong line costs itself only, and shows in the exit status" \
	measures 1 "192.0.2.80 192.0.2.81" -f "$dir/file"
check "it is named" says "$dir/file:2: 1.2.3: neither an address nor a name"
printf 'web\nnosuch\n' >"$dir/file"
check "so is a name that there is not" \
	measures 1 "192.0.2.80" -f "$dir/file"
check "with its line" says "$dir/file:2: nosuch: no such node"
check "operands come before the file" \
	measures 0 "192.0.2.81 192.0.2.80" -f - 192.0.2.81 <<END
192.0.2.80
END
check "a range is each of its addresses" \
	measures 0 "10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7" 10.0.0.4/30
check "and how many they are is said" says "a range of 4 addresses"
check "a range that is too large is refused" measures 1 "" 10.0.0.0/7
check "with what was expected" says "at most 16777216 addresses, got 2^25"
check "both families of a name" \
	measures 0 "192.0.2.80 2001:db8:80::1" --both web
check "all addresses of a name" \
	measures 0 "192.0.2.80 2001:db8:80::1" --all web
check "all of one family" measures 0 "2001:db8:80::1" --all -6 web
check "one family and both is a contradiction" \
	measures 2 "" --both -4 web
check "no host in the file is an error" measures 2 "" -f /dev/null
check "which says so" says "no hosts"
seq 1 1001 | sed 's/.*/10.0.0.1/' >"$dir/file"
measures 2 "" -f "$dir/file" >/dev/null
check "more than the script takes are refused" \
	says "expected at most 1000 operands"
for i in $(seq 30); do echo "1.2.$i/33"; done >"$dir/file"
measures 1 "" -f "$dir/file" >/dev/null
check "many wrong lines do not flood" \
	sh -c "[ \$(grep -c expected '$dir/err') = 20 ]"

# tos OPTION: the octet that a script of ours gets
cat >"$dir/tos.lua" <<'END'
return {fields = {{name = "tos", type = "integer"}},
	options = {{name = "tos", type = "integer", min = 0, max = 200}},
	run = function(args) sonde.record{tos = args.tos} end}
END
tos() {
	[ "$("$sonde" --net "$sim" run "$dir/tos.lua" --json --tos "$1" |
		grep -o '"tos":[0-9]*')" = "\"tos\":$2" ]
}
check "a script's tos may be the name of a DSCP" tos AF41 136
check "or the octet" tos 0x2e 46
"$sonde" --net "$sim" run "$dir/tos.lua" --tos CS7 2>"$dir/err"
check "within its range" says "expected 0 to 200, got 'CS7'"
"$sonde" --net "$sim" ping -c 1 --json --tos EF web >"$dir/out"
check "ping sends it" grep -q '"tos":184' "$dir/out"

# By number, by length and by turns.
cat >"$dir/ways.lua" <<'END'
return {operands = {type = "host", min = 1}, run = function(args)
	local list, got = args.operands, {}
	assert(args.operand_count == 5)
	assert(list[2].address == "10.0.0.2" and list[1].address == "10.0.0.1")
	got[1] = sonde.operand()
	got[2] = list()
	got[3] = list()
	assert(list[3] == nil and #list == 5 and list[5].address == "10.0.0.5")
	for operand in list do got[#got + 1] = operand end
	for i, operand in ipairs(got) do
		assert(operand.address == "10.0.0." .. i)
	end
	assert(#got == 5 and list() == nil)
	local none, why = sonde.operand()
	assert(none == nil and why == "end")
	print("all ways")
end}
END
for i in $(seq 5); do echo "10.0.0.$i"; done >"$dir/file"
timeout 60 "$sonde" --net "$sim" run "$dir/ways.lua" -f "$dir/file" \
	2>"$dir/err"
check "operands are had by number, by length and by turns" says "all ways"

# A million, each kept by nobody.
cat >"$dir/count.lua" <<'END'
return {operands = {type = "host", min = 1}, run = function(args)
	local count = 0
	assert(args.operand_count == nil)
	for _ in args.operands do count = count + 1 end
	print(count)
end}
END
cat >"$dir/million.py" <<'END'
# The most that any process of a run had, looked at while it runs.
import os, subprocess, sys, time
most_mib, lines = int(sys.argv[1]), int(sys.argv[2])
feed = subprocess.Popen([sys.executable, "-c", """
import sys
for i in range(int(sys.argv[1])):
    sys.stdout.write("10.%d.%d.%d\\r\\n" % (i >> 16, i >> 8 & 255, i & 255))
""", sys.argv[2]], stdout=subprocess.PIPE)
run = subprocess.Popen(sys.argv[3:], stdin=feed.stdout,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
feed.stdout.close()
peak, looked, got = {}, 0, b""
os.set_blocking(run.stdout.fileno(), False)
while run.poll() is None:
    got += run.stdout.read() or b""
    try:
        with open("/proc/%d/task/%d/children" % (run.pid, run.pid)) as f:
            pids = [run.pid, *map(int, f.read().split())]
        for pid in pids:
            with open("/proc/%d/status" % pid) as f:
                for line in f:
                    if line.startswith("VmHWM"):
                        peak[pid] = int(line.split()[1]) >> 10
        looked = max(looked, len(pids))
    except OSError:
        pass
    time.sleep(0.02)
got += run.stdout.read() or b""
print("# MiB at most, of each process:", list(peak.values()))
said = got.count(b"\n") if lines < 1000000 else int(got.split()[-1])
sys.exit(0 if looked >= 3 and said == lines and
         max(peak.values()) < most_mib else 1)
END
if grep -q __asan_init "$sonde"; then
	skip "a million targets pass in less than 32 MiB" "AddressSanitizer"
	skip "100,000 are pinged in less than 96 MiB" "AddressSanitizer"
else
	check "a million targets pass in less than 32 MiB" \
		python3 "$dir/million.py" 32 1000000 "$sonde" --net "$sim" \
		run "$dir/count.lua" -f -
	check "100,000 are pinged in less than 96 MiB" \
		python3 "$dir/million.py" 96 100000 "$sonde" --net "$sim" \
		ping -c 1 -f -
fi
done_testing
