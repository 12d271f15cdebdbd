#!/bin/sh
# SPDX-License-Identifier: ISC
# A script that completes a handshake and reads one answer: in the simulated
# internet, and of a real web server, whose segments the kernel would reset if
# the port were not held.
# shellcheck disable=SC2317 # functions that check calls
# shellcheck source=tests/tap.sh
. tests/tap.sh
sonde=${O:-build}/bin/sonde
[ -x "$sonde" ] || skip_all "$sonde is not built"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/net.sim" <<'END'
vantage me  198.51.100.10
router  r1  203.0.113.1
host    web 192.0.2.80 tcp 22 serve http
link me r1
link r1 web delay 5ms
END

ask() { # what else
	SONDE_SCRIPTS=probes/scripts timeout 60 "$sonde" "$@" \
		run tests/net/http.lua $how $where >"$dir/out" 2>"$dir/err"
}

sim() { # status, what the log says
	ask --net "sim:$dir/net.sim"
	[ $? = "$1" ] && grep -q "$2" "$dir/err"
}
where=web how=
check "a simulated server answers" sim 0 "answer: 200"
how="--port 22"
check "where nothing answers the request, data is acknowledged" \
	sim 1 "request: answered"
how="--port 23"
check "a closed port resets" sim 1 "syn: answered"
printf 'local-allow-tcp-hold = false\n' >"$dir/policy.conf"
denied() {
	how=
	ask --net "sim:$dir/net.sim" --policy "$dir/policy.conf"
	[ $? = 1 ] && grep -q "syn: field" "$dir/err"
}
check "the operator may forbid it" denied

if [ "$(id -u)" != 0 ] || ! unshare -n true 2>/dev/null; then
	skip "a real server answers" "no network namespaces"
	done_testing
	exit
fi
cat >"$dir/real.sh" <<'END'
ip link set lo up
python3 - "$1/port" <<'EOF' &
import http.server, os, socket, sys
class Server(http.server.HTTPServer):
    address_family = socket.AF_INET6
os.chdir(os.path.dirname(sys.argv[1]))
server = Server(("::", 0), http.server.SimpleHTTPRequestHandler)
with open(sys.argv[1] + ".new", "w") as file:
    file.write(str(server.server_port))
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
EOF
server=$!
i=0
while [ ! -s "$1/port" ] && [ $((i += 1)) -lt 600 ]; do sleep 0.1; done
# First, since a guardian that held the port may live on for a moment.
timeout 60 "$2" run tests/net/http.lua --release --port "$(cat "$1/port")" \
	127.0.0.1
echo "status $?"
for family in 127.0.0.1 ::1; do
	timeout 60 "$2" run tests/net/http.lua --port "$(cat "$1/port")" \
		$family
	echo "status $?"
done
kill $server
wait $server
END
unshare -n sh "$dir/real.sh" "$dir" "$sonde" >"$dir/real" 2>&1
# The server's own log is among the lines.
both() {
	[ "$(grep -c 'answer: 200' "$dir/real")" = 2 ] &&
		[ "$(grep '^status' "$dir/real" | tr -d '\n')" = \
			"status 1status 0status 0" ]
}
check "a real server answers, over IPv4 and IPv6, if the port is held" both
done_testing
