#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2317 # functions that check calls
# A wall clock that steps, and a machine that stands still, while probes are on
# their way: a round trip is never negative, never of two clocks, and what came
# in time is an answer.  The machine's clock is not touched: what the program
# reads is another (tests/net/step-clock.c).
. tests/tap.sh
. tests/net/lab.sh
command -v jq >/dev/null || skip_all "jq is not installed"
lab_start
lab_node near far
lab_link near far
check "the lab works" lab_ready near 11.0.1.2 2600:0:0:1::2

says() { # jq's condition
	jq -es "$1" "$lab_dir/out" >/dev/null && return
	jq -c '.ping | [.replies[:20][] | [.outcome, .rtt_ns, .tx_clock,
		.tx_wall, .rx_wall]]' "$lab_dir/out" | sed 's/^/# /'
	return 1
}

# --- a clock that steps --------------------------------------------------
stepped() { # seconds, 1 without the kernel's times of departure, words
	STEP_CLOCK_S=$1 STEP_CLOCK_NO_STAMPS=$2
	shift 2
	export STEP_CLOCK_S STEP_CLOCK_NO_STAMPS
	lab_run near env LD_PRELOAD="$lab_dir/step-clock.so" \
		ASAN_OPTIONS="verify_asan_link_order=0:$ASAN_OPTIONS" \
		STEP_CLOCK_AFTER_MS=3000 timeout 100 "$O/bin/sonde" "$@" \
		--json >"$lab_dir/out" 2>>"$lab_dir/log"
}

# An hour is no round trip of a run of seconds.
in_bounds='(all(.[].ping.replies[]; .rtt_ns >= 0 and .rtt_ns < 100000000000))'

# The case is one only where the clock that is recorded has stepped.
has_stepped='([.[].ping.replies[].tx_wall_ns] | (max - min) > 3000000000000)'

part_steps() {
	if ! ${CC:-cc} -shared -fPIC -o "$lab_dir/step-clock.so" \
		tests/net/step-clock.c 2>"$lab_dir/why"; then
		skip "a clock that steps" "$(head -n 1 "$lab_dir/why")"
		return
	fi
	for how in "-3600 icmp 11.0.1.2" "-3600 udp 2600:0:0:1::2" \
		"3600 udp 11.0.1.2" "3600 icmp 2600:0:0:1::2"; do
		# shellcheck disable=SC2086
		set -- $how
		check "a step ends no run ($how)" stepped "$1" 1 ping -M "$2" \
			-c 20 -i 250ms -w 10s "$3"
		check "all are answered" says \
			'.[0].ping | .received == 20 and .sent == 20'
		check "the clock has stepped" says "$has_stepped"
		check "and round trips are none of two clocks" says "$in_bounds"
	done
	for step in -3600 3600; do
		check "nor does one beside the kernel's times ($step)" \
			stepped $step 0 ping -c 20 -i 250ms -w 10s 11.0.1.2
		check "and it changes none" says \
			"$in_bounds and .[0].ping.received == 20"
	done
}
part_steps

# --- a machine that stands still -----------------------------------------
# Replies take 300 ms; all processes of the run stop while some are on their way,
# for longer than a probe waits.
still() { # sonde's words
	# shellcheck disable=SC2016
	python3 tests/net/outcomes.py --in slow sh -c '
		setsid "$@" >"$0/out" & run=$!
		sleep 2
		kill -s STOP $(ps -o pid= -s $run)
		sleep 5
		kill -s CONT $(ps -o pid= -s $run)
		wait $run' "$lab_dir" \
		timeout 100 "$O/bin/sonde" ping --json -i 100ms -c 60 -w 3s \
		"$@" 2>>"$lab_dir/log"
}

stood='[.[0].ping.replies[].tx_wall_ns] | sort | [.[1:], .[:-1]] | transpose |
	map(.[0] - .[1]) | max > 3000000000'

part_still() {
	[ -e /dev/net/tun ] || {
		skip "a machine that stands still" "no /dev/net/tun"
		return
	}
	for how in "icmp 100.100.1.1" "udp 2001:db8:77::1" "tcp 100.100.1.1"; do
		check "a run that stands still ends ($how)" \
			still -M "${how%% *}" "${how#* }"
		check "it has stood still" says "$stood"
		check "what came in time is an answer" says '.[0].ping |
			.sent == 60 and .received == 60 and .late == 0'
		check "and its round trip is the network's" says \
			'all(.[0].ping.replies[]; .rtt_ns >= 290000000 and
			.rtt_ns < 3200000000)'
	done
}
part_still
done_testing
