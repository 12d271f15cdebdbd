#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs tests/probes/script/api.lua, whose talk is TAP behind "sonde api: ", and looks
# at the record that it makes.
set -u
cd "$(dirname "$0")/../../.." || exit 1
sonde=${O:-build}/bin/sonde
[ -x "$sonde" ] || { echo "1..0 # SKIP $sonde is not built"; exit 0; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/net.sim" <<'END'
default link delay 2ms
vantage me  198.51.100.10
router r1   203.0.113.1 mpls 24001,17 interface-info
router r2   203.0.113.2
host web    192.0.2.80 tcp 80
host copy   192.0.2.81
host mute   192.0.2.82
link me r1
link r1 r2
link r2 web
link r2 copy duplicate 0% back duplicate 100%
link r2 mute loss 100%
END
timeout 60 "$sonde" --net "sim:$dir/net.sim" run --json tests/probes/script/api.lua --n 7 --go \
	--word one --word two web 192.0.2.81 >"$dir/out" 2>"$dir/err"
code=$?
sed 's/^sonde api: //' "$dir/err" | grep -v '^1\.\.'
checks=$(grep -c ' ok [0-9]' "$dir/err")
want='{"i":-5,"x":0.25,"b":true,"t":"text","a":"2001:db8::1","o":"00ff"}'
python3 - "$dir/out" "$want" "$((checks + 1))" <<'END'
import json
import sys
fields = json.loads(open(sys.argv[1]).readline())["train"]["fields"]
good = fields == json.loads(sys.argv[2])
print("%sok %s - a record has its fields with their types" %
      ("" if good else "not ", sys.argv[3]))
if not good:
    print("#", fields)
END
[ "$code" = 1 ] || echo "not ok $((checks + 2)) - problem() makes the exit \
code 1, got $code"
[ "$code" = 1 ] && echo "ok $((checks + 2)) - problem() makes the exit code 1"
printf 'local-prefix-rate = 10\nlocal-prefix-burst = 1\n' >"$dir/policy"
cat >"$dir/far.sim" <<'END'
vantage me  198.51.100.10
host mute   192.0.2.82
host other  198.18.0.1
link me mute loss 100%
link me other
END
got=$(timeout 60 "$sonde" --net "sim:$dir/far.sim" --policy "$dir/policy" run \
	tests/probes/script/held-back.lua mute other 2>&1)
what="$((checks + 3)) - probes that a limit holds back keep no others back"
case $got in
"sonde held-back: 300 answered "[0-9]|\
"sonde held-back: 300 answered "[0-9][0-9]|\
"sonde held-back: 300 answered "[0-9][0-9][0-9]) echo "ok $what" ;;
*) echo "not ok $what"; echo "# $got" ;;
esac
echo "1..$((checks + 3))"
