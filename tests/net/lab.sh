# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# Sourced by tests: a small internet of network namespaces that goes away with
# the test.  Names carry the process id, so labs do not meet.
#
#   lab_start             skips the test without root; cleans up by trap
#   lab_node NAME...      namespaces that forward, with loopback up
#   lab_link A B          veth a link of its own number: A has .1, B has .2 of
#                         11.0.N.0/24 and of 2600:0:0:N::/64; sets lab_n to N
#   lab_chain A B...      links in a row; routes so that all reach the ends
#   lab_diamond A B C W   A and C joined by W routers B1..BW, equal cost
#   lab_uplinks           host, its uplinks up1 and up2 (links 1 and 2), and end,
#                         the target that both lead to; host has no routes yet
#   lab_target NODE       NODE answers for all of 11.200.0.0/15 and
#                         2600:200::/32
#   lab_checksums NODE D  device D fills checksums in itself: veth promises to
#                         and does not, which confuses who looks at its own
#   lab_ready NODE ADDR.. waits until NODE gets answers from these
#   lab_run NODE CMD...   runs a command there; lab_spawn in the background
#
# In a chain or diamond what is unknown goes right, towards the last node, and
# 11.0.1.0/24 (the first link made, the prober's) goes left.

# What is tested, where nobody says otherwise.
O=${O:-build}
SONDE_SCRIPTS=${SONDE_SCRIPTS:-probes/scripts}
export SONDE_SCRIPTS

lab_start() {
	[ "$(id -u)" = 0 ] || skip_all "network namespaces need root"
	ip netns add "lab$$-try" 2>/dev/null ||
		skip_all "this kernel gives no network namespaces"
	ip netns del "lab$$-try"
	lab_nodes=
	lab_n=0
	lab_dir=$(mktemp -d)
	trap 'lab_stop' EXIT
	trap 'exit 1' INT TERM HUP PIPE
}

lab_stop() {
	for lab_node in $lab_nodes; do
		ip netns pids "lab$$-$lab_node" 2>/dev/null |
			xargs -r kill 2>/dev/null
		ip netns del "lab$$-$lab_node" 2>/dev/null
	done
	rm -rf "$lab_dir"
}

lab_run() {
	lab_where=$1
	shift
	ip netns exec "lab$$-$lab_where" "$@"
}

# Its id is in lab_pid.
lab_spawn() {
	lab_where=$1
	shift
	ip netns exec "lab$$-$lab_where" "$@" &
	# shellcheck disable=SC2034
	lab_pid=$!
}

lab_node() {
	for lab_node; do
		ip netns add "lab$$-$lab_node"
		lab_nodes="$lab_nodes $lab_node"
		ip -n "lab$$-$lab_node" link set lo up
		lab_run "$lab_node" sysctl -qw \
			net.ipv4.ip_forward=1 \
			net.ipv4.fib_multipath_hash_policy=1 \
			net.ipv4.icmp_errors_use_inbound_ifaddr=1 \
			net.ipv4.icmp_ratelimit=0 \
			net.ipv4.icmp_msgs_per_sec=1000000 \
			net.ipv4.icmp_msgs_burst=10000 \
			net.ipv4.conf.all.rp_filter=0 \
			net.ipv4.conf.default.rp_filter=0 \
			net.ipv6.conf.all.forwarding=1 \
			net.ipv6.conf.default.accept_dad=0 \
			net.ipv6.fib_multipath_hash_policy=1 \
			net.ipv6.icmp.ratelimit=0 2>/dev/null
	done
}

lab_link() {
	lab_n=$((lab_n + 1))
	ip link add "to-$2" netns "lab$$-$1" type veth \
		peer name "to-$1" netns "lab$$-$2"
	for lab_end in "$1 $2 1" "$2 $1 2"; do
		# shellcheck disable=SC2086
		set -- "$1" "$2" $lab_end
		ip -n "lab$$-$3" addr add "11.0.$lab_n.$5/24" brd + \
			dev "to-$4"
		ip -n "lab$$-$3" addr add "2600:0:0:$lab_n::$5/64" \
			dev "to-$4" nodad
		ip -n "lab$$-$3" link set "to-$4" up
	done
}

# lab_routes LEFT RIGHT N: over link N, LEFT sends what it does not know to
# RIGHT, RIGHT sends the prober's to LEFT.
lab_routes() {
	ip -n "lab$$-$1" route add default via "11.0.$3.2"
	ip -n "lab$$-$1" -6 route add default via "2600:0:0:$3::2"
	[ "$3" = 1 ] && return
	ip -n "lab$$-$2" route add 11.0.1.0/24 via "11.0.$3.1"
	ip -n "lab$$-$2" -6 route add 2600:0:0:1::/64 via "2600:0:0:$3::1"
}

lab_chain() {
	while [ $# -gt 1 ]; do
		lab_link "$1" "$2"
		lab_routes "$1" "$2" "$lab_n"
		shift
	done
}

lab_diamond() {
	lab_a=$1 lab_b=$2 lab_c=$3 lab_width=$4
	lab_over4='' lab_over6='' lab_back4='' lab_back6='' lab_i=1
	while [ "$lab_i" -le "$lab_width" ]; do
		lab_link "$lab_a" "$lab_b$lab_i"
		lab_over4="$lab_over4 nexthop via 11.0.$lab_n.2"
		lab_over6="$lab_over6 nexthop via 2600:0:0:$lab_n::2"
		ip -n "lab$$-$lab_b$lab_i" route add 11.0.1.0/24 \
			via "11.0.$lab_n.1"
		ip -n "lab$$-$lab_b$lab_i" -6 route add 2600:0:0:1::/64 \
			via "2600:0:0:$lab_n::1"
		lab_link "$lab_b$lab_i" "$lab_c"
		ip -n "lab$$-$lab_b$lab_i" route add default \
			via "11.0.$lab_n.2"
		ip -n "lab$$-$lab_b$lab_i" -6 route add default \
			via "2600:0:0:$lab_n::2"
		lab_back4="$lab_back4 nexthop via 11.0.$lab_n.1"
		lab_back6="$lab_back6 nexthop via 2600:0:0:$lab_n::1"
		lab_i=$((lab_i + 1))
	done
	# shellcheck disable=SC2086
	{
		ip -n "lab$$-$lab_a" route add default $lab_over4
		ip -n "lab$$-$lab_a" -6 route add default $lab_over6
		ip -n "lab$$-$lab_c" route add 11.0.1.0/24 $lab_back4
		ip -n "lab$$-$lab_c" -6 route add 2600:0:0:1::/64 $lab_back6
	}
}

lab_uplinks() {
	lab_node host up1 up2 end
	lab_link host up1
	lab_link host up2
	lab_link up1 end
	lab_link up2 end
	lab_target end
	for lab_i in 1 2; do
		lab_far=$((lab_i + 2))
		ip -n "lab$$-up$lab_i" route add default via "11.0.$lab_far.2"
		ip -n "lab$$-up$lab_i" -6 route add default \
			via "2600:0:0:$lab_far::2"
		ip -n "lab$$-end" route add "11.0.$lab_i.0/24" \
			via "11.0.$lab_far.1"
		ip -n "lab$$-end" -6 route add "2600:0:0:$lab_i::/64" \
			via "2600:0:0:$lab_far::1"
	done
}

lab_target() {
	ip -n "lab$$-$1" route add local 11.200.0.0/15 dev lo
	ip -n "lab$$-$1" -6 route add local 2600:200::/32 dev lo
}

# Neighbours must be found before losses mean anything.
lab_ready() {
	lab_where=$1
	shift
	for lab_addr; do
		lab_i=0
		until lab_run "$lab_where" ping -n -c 1 -W 1 "$lab_addr" \
			>/dev/null 2>&1; do
			lab_i=$((lab_i + 1))
			[ "$lab_i" -lt 10 ] || return 1
		done
	done
}

lab_checksums() { # as ethtool -K DEVICE tx off
	lab_run "$1" python3 - "$2" <<-'EOF'
	import array, fcntl, socket, struct, sys
	ETHTOOL_STXCSUM, SIOCETHTOOL = 0x17, 0x8946
	value = array.array("I", [ETHTOOL_STXCSUM, 0])
	request = struct.pack("16sP16x", sys.argv[1].encode(),
	                      value.buffer_info()[0])
	with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
	    fcntl.ioctl(s, SIOCETHTOOL, request)
	EOF
}
