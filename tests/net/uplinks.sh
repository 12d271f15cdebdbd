#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2317 # functions that check calls
# A host with two uplinks whose providers drop what carries the other's address:
# each probe leaves as `ip route get` says of a packet of its kind, by rules of
# protocol, port, class and mark and over balanced routes, in both families, and
# the record says by which device, next hop and address.
. tests/tap.sh
. tests/net/lab.sh
for tool in jq traceroute; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done
lab_start
lab_uplinks
for i in 1 2; do
	for what in all "to-host"; do
		lab_run "up$i" sysctl -qw "net.ipv4.conf.$what.rp_filter=1"
	done
	ip -n "lab$$-host" route add default via 11.0.$i.2 metric $i
	ip -n "lab$$-host" -6 route add default via 2600:0:0:$i::2 metric $i
done
ip -n "lab$$-host" route add default via 11.0.2.2 table 100
ip -n "lab$$-host" -6 route add default via 2600:0:0:2::2 table 100
check "the lab works" lab_ready host 11.200.0.1 2600:200::1

# "SOURCE DEVICE NEXTHOP FIRSTHOP END" of a trace; over IPv6 the first hop is
# the gateway's, and an error of the target comes from another address.
by_sonde() { # trace's words
	lab_run host "$O/bin/sonde" trace --json -w 1s "$@" \
		2>>"$lab_dir/sonde.log" |
		jq -r '.trace | "\(.src) \(.device) \(.next_hop) \(
			[.replies[] | select(.probe_ttl == 1)][0].from) \(
			if .replies[-1].probe_ttl == 2 then "arrived"
			else .stop_reason end)"'
}

by_kernel() { # ip route get's words
	lab_run host ip route get "$@" | awk '
		{ for (i = 1; i < NF; i++) word[$i] = $(i + 1) }
		END { print word["src"], word["dev"], word["via"],
			word["via"], "arrived" }'
}

same_way() { # what, kernel's words, sonde's words
	# shellcheck disable=SC2086
	lab_want=$(by_kernel $2)
	# shellcheck disable=SC2086
	lab_got=$(by_sonde $3)
	echo "$lab_got" >>"$lab_dir/ways"
	[ "$lab_got" = "$lab_want" ] && return
	echo "# sonde:  $lab_got"
	echo "# kernel: $lab_want"
	return 1
}

for family in 4 6; do
	dst=11.200.0.7 icmp=icmp
	[ $family = 6 ] && dst=2600:200::7 icmp=ipv6-icmp
	while read -r rule; do
		# shellcheck disable=SC2086
		ip -n "lab$$-host" -$family rule add $rule lookup 100
		for kind in \
			"ipproto $icmp;-M icmp" \
			"ipproto udp sport 40000 dport 33434;-M udp" \
			"ipproto udp sport 40000 dport 53;-M udp -p 53" \
			"ipproto tcp sport 40000 dport 80;-M tcp" \
			"ipproto tcp sport 40000 dport 443;-M tcp -p 443" \
			"ipproto udp sport 40000 dport 33434 tos 0x10;--tos 16" \
			"ipproto udp sport 40000 dport 33434 mark 7;--mark 7"; do
			lab_how=${kind#*;}
			case $lab_how in *icmp) ;; *) lab_how="$lab_how -s 40000" ;; esac
			check "IPv$family, rule $rule, trace ${kind#*;}" \
				same_way x "$dst ${kind%;*}" "$lab_how $dst"
		done
		# shellcheck disable=SC2086
		ip -n "lab$$-host" -$family rule del $rule lookup 100
	done <<-EOF
		ipproto $icmp
		ipproto udp
		ipproto udp dport 53
		ipproto tcp dport 443
		ipproto udp sport 40000
		tos 0x10
		fwmark 7
	EOF
done

echo_same_way() { # dst
	lab_run host sysctl -qw net.ipv4.ping_group_range="0 65534"
	lab_want="$(lab_run host ip route get "$1" uid 65534 |
		sed -n 's/.* dev \([^ ]*\) .*/\1/p') 2"
	lab_got=$(lab_run host "$O/bin/sonde" --net echo ping --json -c 2 \
		-i 50ms -w 3s "$1" 2>>"$lab_dir/sonde.log" |
		jq -r '.ping | "\(.device) \(.received)"')
	[ "$lab_got" = "$lab_want" ] && return
	echo "# sonde:  $lab_got"
	echo "# kernel: $lab_want"
	return 1
}

# Only the table of a rule by user leads to the other uplink.  Who asks for the
# way is nobody, and what leaves must be so too.
for family in 4 6; do
	dst=11.200.0.7 uplink=11.0.2.2
	[ $family = 6 ] && dst=2600:200::7 uplink=2600:0:0:2::2
	ip -n "lab$$-host" -$family route del default metric 2
	for user in 65534 0; do
		ip -n "lab$$-host" -$family rule add uidrange $user-$user \
			lookup 100
		for how in icmp udp tcp; do
			check "IPv$family, rule of user $user, trace by $how" \
				same_way x "$dst uid 65534" "-M $how $dst"
		done
		check "IPv$family, rule of user $user, ping by ICMP sockets" \
			echo_same_way $dst
		ip -n "lab$$-host" -$family rule del uidrange $user-$user \
			lookup 100
	done
	ip -n "lab$$-host" -$family route add default via $uplink metric 2
done

for i in 1 2; do
	ip -n "lab$$-host" route del default metric $i
	ip -n "lab$$-host" -6 route del default metric $i
done
ip -n "lab$$-host" route add default nexthop via 11.0.1.2 nexthop via 11.0.2.2
ip -n "lab$$-host" -6 route add default nexthop via 2600:0:0:1::2 \
	nexthop via 2600:0:0:2::2
: >"$lab_dir/ways"
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	port=$((33434 + i * 97))
	check "flow $i over IPv4 takes its way" same_way x \
		"11.200.0.7 ipproto udp sport 40000 dport $port" \
		"-s 40000 -p $port 11.200.0.7"
	check "flow $i over IPv6 takes its way" same_way x \
		"2600:200::7 ipproto udp sport 40000 dport $port" \
		"-s 40000 -p $port 2600:200::7"
done
for next in 11.0.1.2 11.0.2.2 2600:0:0:1::2 2600:0:0:2::2; do
	check "the flows took both ways: $next" \
		grep -q " $next arrived" "$lab_dir/ways"
done

as_traceroute() { # both given the device
	lab_run host traceroute -n -q 1 -i "$1" 11.200.0.7 |
		awk '$1 == 1 { print $2 }' >"$lab_dir/want"
	by_sonde --interface "$1" 11.200.0.7 |
		awk '{ print $4 }' >"$lab_dir/got"
	cmp -s "$lab_dir/want" "$lab_dir/got" && [ -s "$lab_dir/got" ]
}
check "--interface, as traceroute -i" as_traceroute to-up1
check "--interface, as traceroute -i, the other" as_traceroute to-up2
ip -n "lab$$-host" addr add 11.0.2.77/24 dev to-up2
check "--source leaves from that address" [ "$(by_sonde --source 11.0.2.77 \
	--interface to-up2 11.200.0.7)" = \
	"11.0.2.77 to-up2 11.0.2.2 11.0.2.2 arrived" ]

check "--verbose says by which way" sh -c "ip netns exec lab$$-host \
	'$O/bin/sonde' ping -v -c 1 --interface to-up2 11.200.0.7 2>&1 |
	grep -q 'device to-up2, from 11.0.2.1, next hop 11.0.2.2'"

refuses() { # word of the message, options
	lab_word=$1
	shift
	lab_run host "$O/bin/sonde" ping -c 1 "$@" 11.200.0.7 \
		>"$lab_dir/out" 2>"$lab_dir/err"
	[ $? = 2 ] && grep -q -- "$lab_word" "$lab_dir/err" &&
		! [ -s "$lab_dir/out" ]
}
check "an address of another host is refused" refuses 11.0.1.2 \
	--source 11.0.1.2
check "a device that there is not is refused" refuses none0 --interface none0
check "a mark that is none is refused" refuses blue --mark blue
done_testing
