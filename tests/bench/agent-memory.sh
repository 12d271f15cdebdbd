#!/bin/sh
# SPDX-License-Identifier: ISC
# The memory of an idle agent, and what it does while idle: every process, its
# sensor on, shipping over TLS.  PSS counts a page that n processes share as 1/n of it in each, so the
# sum over our processes is what the agent costs; the collector shares
# libraries and is stopped before the count.
set -u
build=${O:-build}
bound_kib=10240

fail() {
	echo "agent-memory: $*" >&2
	exit 1
}

# Nanoseconds on a processor, and how often it woke up.
spent() { # pid
	echo "$(cut -d' ' -f1 "/proc/$1/schedstat")" \
		"$(awk '/^voluntary/ { print $2 }' "/proc/$1/status")"
}

[ "$(id -u)" = 0 ] || {
	echo "agent memory      skipped: the sensor needs root"
	exit 0
}
command -v openssl >/dev/null || fail "openssl is missing"
dir=$(mktemp -d) || exit 1
agent='' collector=''
trap 'kill $agent $collector 2>/dev/null; wait; rm -rf "$dir"' EXIT
port=$((20000 + $$ % 20000))
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
	-keyout "$dir/key" -out "$dir/cert" -days 2 -subj /CN=localhost \
	-addext subjectAltName=IP:127.0.0.1 2>/dev/null || fail "no certificate"
# As many certificates as a system has, which is what most agents load.
cat "$dir/cert" /etc/ssl/certs/ca-certificates.crt >"$dir/all" 2>/dev/null
cat >"$dir/collector.conf" <<END
state-dir = "$dir/collector"
listen = "https://127.0.0.1:$port"
tls-cert = "$dir/cert"
tls-key = "$dir/key"
END
cat >"$dir/agent.conf" <<END
state-dir = "$dir/state"
collector = "https://127.0.0.1:$port"
ca-file = "$dir/all"
sensor-interfaces = {"lo"}
heartbeat = 5s
END
chmod 755 "$dir"

"$build/bin/sonde-collector" -c "$dir/collector.conf" 2>"$dir/log" &
collector=$!
i=0
while ! [ -s "$dir/collector/admin.token" ] && [ $((i += 1)) -lt 100 ]; do
	sleep 0.1
done
sleep 1
export SONDE_COLLECTOR="https://127.0.0.1:$port"
SONDE_TOKEN=$(cat "$dir/collector/admin.token") || fail "$(cat "$dir/log")"
export SONDE_TOKEN
token=$("$build/bin/sonde" token --ca-file "$dir/cert") || fail "no token"
"$build/bin/sonde-agent" enrol -c "$dir/agent.conf" --token "$token" \
	--name memory >/dev/null || fail "cannot enrol"
"$build/bin/sonde-agent" -c "$dir/agent.conf" 2>>"$dir/log" &
agent=$!
sleep "${SETTLE_S:-12}"
stored=$("$build/bin/sonde" agents --ca-file "$dir/cert" --json |
	sed 's/.*"stored":\([0-9]*\).*/\1/')
[ "${stored:-0}" -gt 1 ] || fail "it ships nothing: $(cat "$dir/log")"
pids="$agent $(cat "/proc/$agent/task/$agent/children")"
idle_s=${IDLE_S:-20}
before=$(mktemp -p "$dir")
for pid in $pids; do
	spent "$pid" >"$before.$pid"
done
sleep "$idle_s"
for pid in $pids; do
	spent "$pid" | cat "$before.$pid" - | awk -v s="$idle_s" \
		-v name="$(cat "/proc/$pid/comm")" '
		NR == 1 { ns = $1; wakeups = $2 }
		NR == 2 { printf "agent idle        %-16s CPU %6.2f ms    " \
			"wakeups %4d   in %d s\n", name, ($1 - ns) / 1e6,
			$2 - wakeups, s }'
done
# Still, as it is: it must not notice that the collector goes away.
# shellcheck disable=SC2086
kill -STOP $pids
kill $collector
wait $collector
collector=''

# The sensor's ring of frames is stated apart: it is the kernel's memory.
ring=0
for pid in $pids; do
	ring=$((ring + $(awk '/^[0-9a-f]+-/ { inside = /socket:/ }
		/^Pss:/ && inside { kib += $2 } END { print kib + 0 }' \
		"/proc/$pid/smaps")))
done

sum=0 rss=0
for pid in $pids; do
	pss=$(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup")
	all=$(awk '/^Rss:/ { print $2 }' "/proc/$pid/smaps_rollup")
	printf 'agent memory      %-16s PSS %6d KiB   RSS %6d KiB\n' \
		"$(cat "/proc/$pid/comm")" "$pss" "$all"
	sum=$((sum + pss)) rss=$((rss + all))
done
# shellcheck disable=SC2086
kill -CONT $pids
sum=$((sum - ring))
printf 'agent memory      %-16s PSS %6d KiB   beside a ring of %d (bound %d)\n' \
	all $sum $ring $bound_kib
[ $sum -lt $bound_kib ]
