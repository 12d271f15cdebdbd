#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2317 # functions that check calls
# What happens to a vantage point while it measures is an outcome with its
# cause: a link without carrier or set down, a device that vanishes, a packet
# that is too long for it, an address that is exchanged; link-local targets are
# behind the device that is named; masqueraded probes are answered.
. tests/tap.sh
. tests/net/lab.sh
command -v jq >/dev/null || skip_all "jq is not installed"
lab_start
lab_node host near side target
lab_chain host near target
lab_target target
lab_link host side
check "the lab works" lab_ready host 11.200.0.1 2600:200::1

measure() {
	lab_run host "$O/bin/sonde" ping --json "$@" >"$lab_dir/out" \
		2>>"$lab_dir/sonde.log"
}

says() { # jq's condition on the ping
	jq -e ".ping | $1" "$lab_dir/out" >/dev/null && return
	jq -c '.ping | del(.replies[].extensions)' "$lab_dir/out" | sed 's/^/# /'
	return 1
}

# --- link-local targets --------------------------------------------------
for node in near side; do
	ip -n "lab$$-$node" -6 addr add "fe80::77/64" dev to-host nodad
done
ip -n "lab$$-side" -6 addr add fe80::99/64 dev to-host nodad
check "link-local addresses receive" lab_ready host fe80::77%to-near \
	fe80::77%to-side fe80::99%to-side
measure -c 1 fe80::99%to-side
check "a link-local host is behind its device" says \
	'.received == 1 and .device == "to-side"'
number=$(ip -n "lab$$-host" -j link show to-side | jq '.[0].ifindex')
measure -c 1 "fe80::99%$number"
check "or behind the device of that number" says \
	'.received == 1 and .device == "to-side"'
measure -c 1 -w 300ms fe80::99%to-near
check "and not behind another" says '.received == 0 and .device == "to-near"'
measure -c 1 fe80::99%none0
check "a device that there is not is named" says '.not_sent == 1 and
	(.error | contains("none0")) and .replies[0].outcome == "not-sent"'

# --- too long ------------------------------------------------------------
ip -n "lab$$-host" link set to-near mtu 1300
for dst in 11.200.0.7 2600:200::7; do
	measure -c 1 --size 1390 $dst
	check "too long says how long it may be ($dst)" says '.sent == 0 and
		.not_sent == 1 and .replies[0].mtu == 1300 and
		.replies[0].outcome == "not-sent" and .device == "to-near"'
done
ip -n "lab$$-host" link set to-near mtu 1500
ip -n "lab$$-host" route add 11.200.9.0/24 via 11.0.1.2 mtu lock 1280
measure -c 1 --size 1300 11.200.9.9
check "a route's own limit counts too" says '.not_sent == 1 and
	.replies[0].mtu == 1280'

# --- what this host refuses ------------------------------------------------
while read -r route word; do
	ip -n "lab$$-host" route add "$route" 11.200.8.8
	measure -c 1 11.200.8.8
	check "a $route route is why nothing is sent" says ".sent == 0 and
		.not_sent == 1 and (.error | contains(\"$word\"))"
	ip -n "lab$$-host" route del "$route" 11.200.8.8
done <<-EOF
	blackhole blackhole
	prohibit prohibits
	unreachable rejects
EOF

# --- masquerade ----------------------------------------------------------
if command -v nft >/dev/null && lab_run host nft 'add table ip n;
	add chain ip n post { type nat hook postrouting priority 100; };
	add rule ip n post oifname to-near snat to 11.0.1.50' 2>/dev/null; then
	ip -n "lab$$-host" addr add 11.0.1.50/24 dev to-near
	ip -n "lab$$-host" rule add ipproto tcp dport 443 lookup 100
	ip -n "lab$$-host" route add default via 11.0.1.2 src 11.0.1.1 \
		table 100
	for how in "-M icmp" "-M udp" "-M tcp -p 443"; do
		# shellcheck disable=SC2086
		measure -c 2 -i 50ms $how 11.200.0.7
		check "masqueraded, $how" says '.received == 2'
	done
	ip -n "lab$$-host" rule del ipproto tcp dport 443 lookup 100
	lab_run host nft delete table ip n
else
	skip 3 "this kernel or host has no nft with NAT"
fi

# --- while it measures ----------------------------------------------------
during() { # commands while it sends, ping's words
	lab_what=$1
	shift
	(sleep 2; eval "$lab_what") &
	measure -c 20 -i 250ms -w 2s "$@"
	wait $!
}
lab_run host sysctl -qw net.ipv4.conf.all.promote_secondaries=1
during "ip -n lab$$-host addr add 11.0.1.99/24 dev to-near
	ip -n lab$$-host addr del 11.0.1.1/24 dev to-near
	ip -n lab$$-host route replace default via 11.0.1.2" 11.200.0.7
check "an address that is exchanged costs few" says \
	'.received + .not_sent == 20 and .received >= 14 and
	([.replies[] | select(.rtt_ns != null and .rtt_ns < 0)] == [])'

# The kernel notices within a second.
during "ip -n lab$$-near link set to-host down" 11.200.0.7
check "without carrier nothing is sent, and says why" says '.not_sent >= 1 and
	.received >= 1 and .sent + .not_sent == 20 and
	.error == "network is down: to-near"'
ip -n "lab$$-near" link set to-host up

during "ip -n lab$$-host link set to-side down" --interface to-side 11.0.3.2
check "a link set down is why" says '.not_sent >= 4 and .received >= 1 and
	.error == "network is down: to-side"'
ip -n "lab$$-host" link set to-side up

lab_run host ping -n -q -c 1 -W 2 11.0.3.2 >/dev/null 2>&1
during "ip -n lab$$-host link del to-side" --interface to-side 11.0.3.2
check "a device that vanishes is why" says '.not_sent >= 4 and .received >= 1 and
	.error == "no such device: to-side" and .device == "to-side"'
done_testing
