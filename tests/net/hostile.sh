#!/bin/sh
# SPDX-License-Identifier: ISC
# The guardian on a wire when things go wrong around it: its worker is killed
# in the middle of a train, and strangers write to its machine.  The other end
# of the wire is the judge.
# shellcheck disable=SC2317 # functions that check calls
. tests/tap.sh
. tests/net/lab.sh
command -v tcpdump >/dev/null || skip_all "tcpdump is not installed"
O=${O:-build}
lab_start
lab_node host peer
lab_chain host peer
lab_target peer
check "the lab works" lab_ready host 11.200.0.1

# Bounded: what does not come within ten seconds does not come.
until_true() {
	for _ in $(seq 200); do
		"$@" && return
		sleep 0.05
	done
	return 1
}

capture_start() {
	lab_spawn peer tcpdump -Z root -i any -Q in --immediate-mode -nn \
		-w "$lab_dir/seen.pcap" -U "src 11.0.1.1" \
		2>"$lab_dir/tcpdump.log"
	capture_pid=$lab_pid
	until_true grep -q listening "$lab_dir/tcpdump.log"
}

seen() { # tcpdump expression
	tcpdump -nn -r "$lab_dir/seen.pcap" "$@" 2>/dev/null | grep -c .
}

is_seen() {
	[ "$(seen "$@")" -gt 0 ]
}

# What left before this has arrived when it has.
capture_stop() {
	lab_run host ping -n -c 1 -W 2 11.200.9.9 >/dev/null
	until_true is_seen dst 11.200.9.9
	kill -INT "$capture_pid"
	wait "$capture_pid"
}

host_is_empty() {
	[ -z "$(ip netns pids "lab$$-host")" ]
}

# One probe at once, many that would follow at times far apart and at one time.
vanish() {
	{
		echo "11.200.0.1 proto=17 sport=20000 dport=30000 len=4"
		for i in $(seq 200); do
			echo "11.200.0.2 proto=17 sport=20000 dport=30001" \
				"len=4 at_ms=$((20000 + i % 20)) wait_ms=1000"
		done
	} >"$lab_dir/lines"
	capture_start
	# shellcheck disable=SC2016
	lab_spawn host sh -c 'exec "$0" <"$1" >/dev/null' \
		"$O/tests/net/guardian-drive" "$lab_dir/lines"
	until_true is_seen dst port 30000 || return 1
	kill -KILL "$lab_pid"
	wait "$lab_pid" 2>/dev/null
	until_true host_is_empty || return 1
	capture_stop
	[ "$(seen dst port 30000)" = 1 ] && [ "$(seen dst port 30001)" = 0 ]
}
check "a guardian ends with its worker, and nothing more leaves" vanish

# Strangers' datagrams until it is killed, some hundred a second.
cat >"$lab_dir/flood.py" <<'EOF'
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(10000):
    s.sendto(b"stranger", ("11.0.1.1", 1900 + i % 30000))
    if i == 100:
        print("flooding", flush=True)
    if i % 10 == 0:
        time.sleep(0.01)
EOF

count_of() { # counter
	awk -v name="$1" '$1 == name { print $2; found = 1 }
		END { if (!found) print 0 }' "$lab_dir/said"
}

strangers() {
	lab_spawn peer python3 "$lab_dir/flood.py" >"$lab_dir/flood.log"
	flood_pid=$lab_pid
	until_true grep -q flooding "$lab_dir/flood.log" || return 1
	echo "11.200.0.1 id=60000 wait_ms=1500" |
		lab_run host "$O/tests/net/guardian-drive" -q >"$lab_dir/said"
	kill "$flood_pid" 2>/dev/null
	wait "$flood_pid" 2>/dev/null
	sed 's/^/# /' "$lab_dir/said"
	[ "$(count_of reply)" = 1 ] && [ "$(count_of guardian.captured)" -le 2 ]
}
check "strangers' datagrams do not reach the guardian" strangers
done_testing
