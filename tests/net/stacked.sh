#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2317 # functions that check calls
# Uplinks that are devices on top of others: bridge, bond, VLAN, macvlan, ipvlan,
# VRF, VXLAN, GRE.  The kernel shows one reply on each of them; it counts once,
# and the record names the device that the route leaves by.  What this kernel has
# no device for is skipped, with what the kernel says.  ping judges.
. tests/tap.sh
. tests/net/lab.sh
command -v jq >/dev/null || skip_all "jq is not installed"
lab_start
lab_node stack peer far
lab_link peer far
ip -n "lab$$-far" route add default via 11.0.1.1
ip -n "lab$$-far" -6 route add default via 2600:0:0:1::1
lab_target far
# Its errors come from an address of its own.
ip -n "lab$$-far" -6 addr add 2600:200::1/128 dev lo
ip -n "lab$$-peer" route add 11.200.0.0/15 via 11.0.1.2
ip -n "lab$$-peer" -6 route add 2600:200::/32 via 2600:0:0:1::2
check "the lab works" lab_ready peer 11.200.0.1 2600:200::1

on() { # node, ip's words
	lab_on=$1
	shift
	ip -n "lab$$-$lab_on" "$@"
}

# Two cables from stack to peer, with nothing on them.
cables() {
	for node in stack peer; do
		on $node link del upper 2>/dev/null
	done
	for i in 0 1; do
		on stack link del "lower$i" 2>/dev/null
		ip link add "lower$i" netns "lab$$-stack" type veth \
			peer name "lower$i" netns "lab$$-peer" || return
		on stack link set "lower$i" up
		on peer link set "lower$i" up
	done
}

# The network between both, on these devices; routes of stack into a table.
join() { # device of stack, device of peer, table
	on stack link set "$1" up && on peer link set "$2" up &&
		on stack addr add 11.0.20.1/24 dev "$1" &&
		on stack addr add 2600:0:0:20::1/64 dev "$1" nodad &&
		on peer addr add 11.0.20.2/24 dev "$2" &&
		on peer addr add 2600:0:0:20::2/64 dev "$2" nodad &&
		on stack route add default via 11.0.20.2 dev "$1" \
			table "$3" &&
		on stack -6 route add default via 2600:0:0:20::2 dev "$1" \
			table "$3"
}

underlay() { # what a tunnel's own packets use
	on stack addr add 11.0.21.1/24 dev lower0 &&
		on peer addr add 11.0.21.2/24 dev lower0
}

# Each kind makes "upper" on stack, and what peer needs; the last command is the
# one whose failure says whether the kernel has the device.
make_bridge() {
	on stack link add upper type bridge
}
make_bond() { # peer answers on both, whichever is in use
	on peer link add upper type bridge && on peer link set lower0 \
		master upper && on peer link set lower1 master upper &&
		on stack link add upper type bond mode active-backup miimon 100
}
make_vlan() {
	on stack link add link lower0 name upper type vlan id 5
}
make_macvlan() {
	on stack link add link lower0 name upper type macvlan mode bridge
}
make_ipvlan() {
	on stack link add link lower0 name upper type ipvlan mode l2
}
make_vrf() {
	on stack link add upper type vrf table 10
}
make_vxlan() {
	underlay && on peer link add upper type vxlan id 7 local 11.0.21.2 \
		remote 11.0.21.1 dstport 4789 &&
		on stack link add upper type vxlan id 7 local 11.0.21.1 \
			remote 11.0.21.2 dstport 4789
}
make_gre() {
	underlay && on stack link add upper type gre local 11.0.21.1 \
		remote 11.0.21.2 ttl 64
}

# The rest of each kind: from upper to a network that works.
finish_bridge() {
	on stack link set lower0 master upper && join upper lower0 main
}
finish_bond() {
	for i in 0 1; do # it takes only what is down
		on stack link set "lower$i" down &&
			on stack link set "lower$i" master upper || return
	done
	join upper upper main
}
finish_vlan() {
	on peer link add link lower0 name upper type vlan id 5 &&
		join upper upper main
}
finish_macvlan() {
	join upper lower0 main
}
finish_ipvlan() {
	join upper lower0 main
}
finish_vrf() { # addresses come after: joining a VRF takes IPv6's away
	on stack link set upper up && on stack link set lower0 master upper &&
		join lower0 lower0 10
}
finish_vxlan() {
	join upper upper main
}
finish_gre() {
	on peer link add upper type gre local 11.0.21.2 remote 11.0.21.1 \
		ttl 64 && join upper upper main
}

# Of a VRF the member is the device, and it must be asked for.
how() {
	case $kind in
	vrf) device=lower0 options="--interface upper" judge="-I upper" ;;
	*) device=upper options='' judge='' ;;
	esac
}

answers() { # target; how ping sees it
	# shellcheck disable=SC2086
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		lab_run stack ping -n -q -c 1 -W 1 $judge "$1" >/dev/null &&
			break
	done
	# shellcheck disable=SC2086
	lab_run stack ping -n -q -c 3 -i 0.2 -W 3 $judge "$1" |
		grep -q " 3 received"
}

is() { # wanted, jq's filter, sonde's words
	lab_wanted=$1 lab_filter=$2
	shift 2
	lab_got=$(lab_run stack "$O/bin/sonde" "$@" --json \
		2>>"$lab_dir/log" | jq -c "$lab_filter")
	[ "$lab_got" = "$lab_wanted" ] && return
	echo "# got $lab_got, expected $lab_wanted"
	return 1
}

once() { # method, target, options
	lab_method=$1 lab_target=$2
	shift 2
	is "[3,3,0,3,\"$device\"]" '.ping | [.sent, .received, .rejected,
		(.replies | length), .device]' \
		ping -M "$lab_method" -c 3 -i 50ms -w 3s "$@" "$lab_target"
}

hops() { # target, options
	lab_target=$1
	shift
	is "[\"completed\",[[1,\"hop\"],[2,\"answered\"]],\"$device\"]" \
		'.trace | [.stop_reason, [.replies[] | select(.outcome !=
		"silent") | [.probe_ttl, .outcome]], .device]' \
		trace -w 3s "$@" "$lab_target"
}

measure() {
	for target in 11.200.0.1 2600:200::1; do
		check "$kind: ping has its answers ($target)" answers "$target"
		for method in icmp udp tcp; do
			# shellcheck disable=SC2086
			check "$kind: each reply is one ($method, $target)" \
				once "$method" "$target" $options
		done
		check "$kind: so it is by its name ($target)" \
			once icmp "$target" --interface upper
		# shellcheck disable=SC2086
		check "$kind: a trace has two hops ($target)" \
			hops "$target" $options
	done
}

for kind in bridge bond vlan macvlan ipvlan vrf vxlan gre; do
	how
	cables || exit 1
	if "make_$kind" 2>"$lab_dir/why"; then
		check "$kind: it is set up" "finish_$kind"
		measure
		if [ "$kind" = bond ]; then
			on stack link set lower0 down
			check "bond: the other member takes over" answers \
				11.200.0.1
			check "bond: and replies are one still" \
				once icmp 11.200.0.1
		fi
	elif grep -qE 'Unknown device type|not supported' "$lab_dir/why"; then
		skip "$kind" "this kernel: $(head -n 1 "$lab_dir/why")"
	else
		sed 's/^/# /' "$lab_dir/why"
		check "$kind: the device can be made" false
	fi
done
done_testing
