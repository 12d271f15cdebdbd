#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2317 # functions that check calls
# What kernel routers and services do to probes: advice of a gateway, a router
# that rejects, a target with the kernel's own limits of ICMP errors, a service
# that swallows a datagram, an uplink that is a bridge, a run with another's id.
# ping, traceroute and fping judge in the same lab.
. tests/tap.sh
. tests/net/lab.sh
for tool in jq python3; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done
lab_start

# by NODE FILTER SONDE'S WORDS: a value out of the record, and its status if
# that is not 0.
by() {
	lab_who=$1 lab_filter=$2
	shift 2
	{
		lab_run "$lab_who" "$O/bin/sonde" "$@" --json \
			2>>"$lab_dir/log" || echo "{\"status\": $?}"
	} | jq -rc "if .status then \"status \(.status)\" else
		(.trace // .ping) | $lab_filter end"
}

is() { # wanted, command...
	lab_wanted=$1
	shift
	lab_got=$("$@")
	[ "$lab_got" = "$lab_wanted" ] && return
	echo "# got $lab_got, expected $lab_wanted"
	return 1
}

judged() { # node, target, wanted: what the system's ping received
	lab_run "$1" ping -n -q -c 3 -i 0.2 -W 1 "$2" |
		grep -q " $3 received"
}

counts='"\(.sent) \(.received) \(.rejected) \(.replies | length)"'
arrived='"\(.stop_reason) \([.replies[] | select(.outcome == "answered") |
	.probe_ttl] | min)"'

# --- a gateway that knows a better one -----------------------------------
# host and better are on one link, which gate bridges.
lab_node host gate better
ip -n "lab$$-gate" link add lan type bridge
ip -n "lab$$-gate" link set lan up
for node in host better; do
	ip link add "to-$node" netns "lab$$-gate" type veth \
		peer name lan netns "lab$$-$node"
	ip -n "lab$$-gate" link set "to-$node" up master lan
	ip -n "lab$$-$node" link set lan up
done
number=1
for node in gate host better; do
	ip -n "lab$$-$node" addr add "11.0.1.$number/24" dev lan
	ip -n "lab$$-$node" addr add "2600:0:0:1::$number/64" dev lan nodad
	number=$((number + 1))
done
lab_target better
for number in 5 6 7; do # it answers only from addresses that are its own
	ip -n "lab$$-better" addr add "2600:200::1$number/128" dev lo
done
ip -n "lab$$-gate" route add 11.200.0.0/15 via 11.0.1.3
ip -n "lab$$-gate" -6 route add 2600:200::/32 via 2600:0:0:1::3
ip -n "lab$$-host" route add default via 11.0.1.1
ip -n "lab$$-host" -6 route add default via 2600:0:0:1::1
lab_run host sysctl -qw net.ipv4.conf.all.accept_redirects=0 \
	net.ipv4.conf.lan.accept_redirects=0 \
	net.ipv6.conf.lan.accept_redirects=0
lab_run gate sysctl -qw net.ipv4.conf.all.send_redirects=1 \
	net.ipv4.conf.lan.send_redirects=1 \
	net.ipv4.conf.lan.shared_media=1
check "the lab works" lab_ready host 11.200.0.1 2600:200::1
part_advice() {
	target=1
	for net in 11.200.1. 2600:200::1; do
		for method in icmp udp tcp; do
			target=$((target + 1))
			check "a redirect is advice ($method, $net)" is "3 3 0 3" \
				by host "$counts" ping -M "$method" -c 3 -i 50ms \
				-w 5s "$net$target"
		done
		check "and does not end a trace ($net)" is "completed 2" \
			by host "$arrived" trace "$net$target"
	done
	check "and is told as a remark" advised
	check "ping agrees that all is answered" judged host 11.200.3.1 3
}

advised() {
	[ "$(by host '.remarks[0] | "\(.from) \(.icmp_type)"' ping \
		-c 2 -i 100ms "11.200.2.1")" = "11.0.1.1 5" ]
}

# --- a router that rejects -----------------------------------------------
lab_node near wall far
lab_link near wall
lab_link wall far
ip -n "lab$$-near" route add default via "11.0.1.2"
ip -n "lab$$-near" -6 route add default via 2600:0:0:1::2
ip -n "lab$$-far" route add default via "11.0.2.1"
ip -n "lab$$-far" -6 route add default via 2600:0:0:2::1
check "the lab of the router works" lab_ready near 11.0.2.2 2600:0:0:2::2

rejects() { # nft's words behind "reject"
	lab_run wall nft flush ruleset &&
		lab_run wall nft "add table inet f; add chain inet f w {
		type filter hook forward priority 0; }; add rule inet f w \
		iifname to-near reject $*"
}

rejected() { # method, target
	is "unreachable rejected 2
status 1" by near '"\(.stop_reason) \(.replies[-1] |
			"\(.outcome) \(.probe_ttl)")"' \
		trace -w 2s -M "$1" "$2" &&
		is "2 0 2 2
status 1" by near "$counts" ping -c 2 -i 10ms -w 2s --late 10ms -M "$1" "$2"
}

# All at once, since each waits for what may be better than a rejection.
all_rejected() { # how nft rejects
	for method in icmp udp tcp; do
		for target in 11.0.2.2 2600:0:0:2::2; do
			{
				rejected "$method" "$target" && echo held
			} >"$lab_dir/no-$method-$target" &
		done
	done
	wait
	for method in icmp udp tcp; do
		for target in 11.0.2.2 2600:0:0:2::2; do
			grep -v held "$lab_dir/no-$method-$target"
			check "$method to $target, reject $1" \
				grep -q held "$lab_dir/no-$method-$target"
		done
	done
}

part_rejection() {
	if command -v nft >/dev/null; then
		for with in "" "with icmpx type host-unreachable" \
			"with icmpx type admin-prohibited"; do
			check "nft takes: reject $with" rejects "$with"
			all_rejected "$with"
		done
		check "ping agrees that nothing is answered" judged near 11.0.2.2 0
		lab_run wall nft flush ruleset
	else
		skip "a router that rejects" "nft is not installed"
	fi
}

# --- the kernel's limits of ICMP errors ----------------------------------
limits() { # node: as Linux has them
	lab_run "$1" sysctl -qw net.ipv4.icmp_ratelimit=1000 \
		net.ipv4.icmp_msgs_per_sec=1000 net.ipv4.icmp_msgs_burst=50 \
		net.ipv6.icmp.ratelimit=1000
}
lab_node close middle limiting
lab_link close middle
lab_link middle limiting
ip -n "lab$$-close" route add default via "11.0.3.2"
ip -n "lab$$-close" -6 route add default via 2600:0:0:3::2
ip -n "lab$$-limiting" route add default via "11.0.4.1"
ip -n "lab$$-limiting" -6 route add default via 2600:0:0:4::1
check "the lab of the limits works" lab_ready close 11.0.4.2 2600:0:0:4::2
limits limiting
in_a_row() {
	lab_bad=0
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		is "completed 2" by close "$arrived" trace 11.0.4.2 ||
			lab_bad=1
	done
	return "$lab_bad"
}
# Their turns are drawn: what always holds is that none says another length, and
# that only one which had no turn at all says none.
at_once() { # target
	lab_pids=
	for lab_i in 1 2 3 4 5; do
		by close "$arrived" trace "$1" >"$lab_dir/at$lab_i" &
		lab_pids="$lab_pids $!"
	done
	# shellcheck disable=SC2086
	wait $lab_pids
	sed 's/^/# /' "$lab_dir"/at?
	! grep -vE '^(completed 2|(limited|echo-only) null|status 1)$' \
		"$lab_dir"/at? && [ "$(grep -c 'completed 2' "$lab_dir"/at? |
		grep -c ':1$')" -ge 3 ]
}
part_limits() {
	check "ten traces in a row say the length of a target that limits" in_a_row
	for target in 11.0.4.2 2600:0:0:4::2; do
		check "and none of five at once another ($target)" \
			at_once "$target"
	done
	if lab_run limiting nft 'add table inet f; add chain inet f i {
		type filter hook input priority 0; }; add rule inet f i udp \
		dport 33434 drop'; then
		check "a target that answers echo requests alone has no length" \
			is "echo-only null
status 1" by close "$arrived" trace 11.0.4.2
		lab_run limiting nft flush ruleset
	else
		skip "a target that answers echo requests alone" \
			"nft is not installed"
	fi
}

# --- a service that swallows a datagram ----------------------------------
answered='["completed","answered"]'
cat >"$lab_dir/service.py" <<'EOT'
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", 862))
print("up", flush=True)
count = {}
while True:
    data, who = s.recvfrom(2048)
    count[who[0]] = count.get(who[0], 0) + 1
    if count[who[0]] != 2:
        s.sendto(data[:44].ljust(44, b"\0"), who)
EOT
part_service() {
	lab_spawn limiting python3 "$lab_dir/service.py" >"$lab_dir/up"
	service=$lab_pid
	until grep -q up "$lab_dir/up" || ! kill -0 "$service" 2>/dev/null; do
		sleep 0.05
	done
	for target in 11.0.4.2 2600:0:0:4::2; do
		check "what a service swallowed is the one that is lost ($target)" is \
			'["answered","silent","answered","answered","answered"]' \
			by close '[.replies[].outcome]' ping -M udp -p 862 -c 5 \
			-i 50ms -w 3s --late 10ms "$target"
		for how in icmp "icmp --size 0" "udp -p 862" tcp; do
			# shellcheck disable=SC2086
			check "pings to one host do not meet ($target, $how)" \
				is "$(printf '%s\n' 2 2 2)" by close '.received' \
				ping -M $how -c 2 -i 50ms -w 5s \
				"$target" "$target" "$target"
		done
		check "traces to one service do not meet ($target)" is \
			"$(printf '%s\n' "$answered" "$answered" "$answered")" \
			by close '[.stop_reason, .replies[-1].outcome]' trace \
			-M udp -p 862 -w 5s "$target" "$target" "$target"
	done
	kill "$service"
}

# --- uplinks that are bridges --------------------------------------------
lab_node stack peer
for bridge in bra brb; do
	ip -n "lab$$-stack" link add $bridge type bridge
	ip -n "lab$$-stack" link set $bridge up
done
ip -n "lab$$-stack" link add j0 type veth peer name j1
ip link add v0 netns "lab$$-stack" type veth peer name v1 netns "lab$$-peer"
ip -n "lab$$-stack" link set v0 master bra
ip -n "lab$$-stack" link set v0 up
ip -n "lab$$-peer" link set v1 up
ip -n "lab$$-peer" addr add 11.0.9.2/24 dev v1
ip -n "lab$$-peer" addr add 2600:0:0:9::2/64 dev v1 nodad
addresses() { # to which device
	ip -n "lab$$-stack" addr flush scope global
	ip -n "lab$$-stack" addr add 11.0.9.1/24 dev "$1"
	ip -n "lab$$-stack" addr add 2600:0:0:9::1/64 dev "$1" nodad
}
# shellcheck disable=SC2016
once() { # method, target: each format has three, none of them a duplicate
	is "3 3 0 3" by stack "$counts" ping -M "$1" -c 3 -i 50ms -w 5s "$2" &&
		[ "$(lab_run stack "$O/bin/sonde" ping --csv -M "$1" -c 3 \
			-i 50ms -w 5s "$2" | wc -l)" = 4 ] &&
		is 0 sh -c '"$@" | jq .dup' sh ip netns exec "lab$$-stack" \
			"$O/bin/sonde" ping --format atlas -M "$1" -c 3 \
			-i 50ms -w 5s "$2"
}
part_bridges() {
	addresses bra
	check "the lab of a bridge works" lab_ready stack 11.0.9.2 2600:0:0:9::2
	for method in icmp udp tcp; do
		for target in 11.0.9.2 2600:0:0:9::2; do
			check "a bridge shows each reply once ($method, $target)" \
				once "$method" "$target"
		done
	done
	ip -n "lab$$-stack" link set j0 master bra
	ip -n "lab$$-stack" link set j1 master brb
	ip -n "lab$$-stack" link set j0 up
	ip -n "lab$$-stack" link set j1 up
	addresses brb
	check "the lab of two bridges works" lab_ready stack 11.0.9.2 2600:0:0:9::2
	for method in icmp udp; do
		for target in 11.0.9.2 2600:0:0:9::2; do
			check "two bridges show it once ($method, $target)" \
				once "$method" "$target"
		done
	done
}

# --- two runs with one id ------------------------------------------------
# Replies take 300 ms, so that those of one run come while the other waits.
two_runs() { # sonde's words
	# shellcheck disable=SC2016
	python3 tests/net/outcomes.py --in slow sh -c '
		"$@" >"$0/a" & sleep 0.12; "$@" >"$0/b"; wait' "$lab_dir" \
		"$O/bin/sonde" ping -c 2 -i 400ms -w 5s --json "$@" \
		2>>"$lab_dir/log"
	# shellcheck disable=SC2016
	is '[2,2,0,true][2,2,0,true]' sh -c 'jq -c ".ping | [.sent, .received,
		([.replies[] | select(.duplicate)] | length),
		all(.replies[]; .rtt_ns >= 290000000)]" "$0/a" "$0/b" |
		tr -d "\n"' "$lab_dir"
}
part_runs() {
	if [ -e /dev/net/tun ]; then
		for target in 100.100.1.1 2001:db8:77::1; do
			for method in icmp udp tcp; do
				check "runs of one id do not meet ($method, $target)" \
					two_runs -M "$method" -s 4242 "$target"
			done
		done
	else
		skip "two runs with one id" "this kernel has no /dev/net/tun"
	fi
}

# At once, since most of it is waiting.
parts="advice rejection limits service bridges runs"
for part in $parts; do
	(
		trap - EXIT
		tap_count=0 tap_failed=0
		"part_$part"
		echo "$tap_count $tap_failed" >"$lab_dir/$part.count"
	) >"$lab_dir/$part.tap" &
done
wait
for part in $parts; do
	cat "$lab_dir/$part.tap"
	read -r count failed <"$lab_dir/$part.count" || count=1 failed=1
	tap_count=$((tap_count + count))
	tap_failed=$((tap_failed + failed))
done
done_testing
