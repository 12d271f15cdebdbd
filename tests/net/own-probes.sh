#!/bin/sh
# SPDX-License-Identifier: ISC
# A host whose sensor sees its own probes, and what answers them: neither this
# host nor a target is accused, though no network is named as home.
. tests/tap.sh
. tests/net/lab.sh

lab_start
lab_node here way far
lab_chain here way far
lab_ready here 11.0.2.2 2600:0:0:2::2 || skip_all "the lab is not ready"

lab_spawn here "$O/bin/sonde" sensor -i to-way --json >"$lab_dir/found" \
	2>"$lab_dir/said"
sensor=$lab_pid
i=0
until child=$(cat "/proc/$sensor/task/$sensor/children" 2>/dev/null) &&
	[ -n "$child" ] &&
	grep -q 'Seccomp:.2' "/proc/${child% }/status" 2>/dev/null ||
	[ $i -ge 600 ]; do
	i=$((i + 1))
	sleep 0.1
done
for target in 11.0.2.2 2600:0:0:2::2; do
	for method in udp icmp tcp; do
		lab_run here "$O/bin/sonde" trace -M $method "$target" \
			>"$lab_dir/trace" 2>&1 ||
			echo "# $method $target: $(cat "$lab_dir/trace")"
	done
	lab_run here "$O/bin/sonde" ping -c 30 -i 20ms "$target" \
		>"$lab_dir/ping" 2>&1
done
sleep 1
kill "$sensor"
wait "$sensor"
check "the sensor saw it" grep -q '"summary"' "$lab_dir/found"
packets=$(sed -n 's/.*"summary":{[^}]*"packets":\([0-9]*\).*/\1/p' \
	"$lab_dir/found")
check "all of it: ${packets:-0} packets" [ "${packets:-0}" -ge 120 ]
accused=$(grep -E '"verdict":"(worm|flood|scan|backscatter|probe)"' \
	"$lab_dir/found" | grep -E '"src":"(11\.0\.|2600:)')
[ -z "$accused" ] || echo "# $accused"
check "neither we nor who answers us is accused" [ -z "$accused" ]
done_testing
