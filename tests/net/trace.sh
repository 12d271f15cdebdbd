#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2317 # functions that check calls
# Over a diamond of kernel routers that balance by flow, `sonde trace` and
# scamper see the same hops when they probe the same flow: both families, UDP,
# ICMP and TCP, and enough flows that the diamond must have shown its width.
. tests/tap.sh
. tests/net/lab.sh
for tool in scamper jq python3; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done
lab_start
lab_node host first mid1 mid2 mid3 mid4 join last target
lab_chain host first
lab_diamond first mid join 4
lab_chain join last target
lab_target target
# Linux balances by the flow label too, and gives each socket one of its own.
lab_run host sysctl -qw net.ipv6.auto_flowlabels=0
lab_checksums host to-first # scamper knows its UDP probes by the checksum
check "the lab works" lab_ready host 11.200.0.1 2600:200::1

# "TTL ADDRESS" of every hop that answered, once.  Over IPv6 the join has no
# address of its own: it answers from the way back that it chooses.
by_sonde() { # method sport dport dst
	case $1 in
	icmp) lab_ports= ;;
	*) lab_ports="--sport $2 --port $3" ;;
	esac
	# shellcheck disable=SC2086
	lab_run host "$O/bin/sonde" trace --json --method "$1" $lab_ports \
		"$4" 2>>"$lab_dir/sonde.log" |
		jq -r '.trace.replies[] | select(.from) |
			"\(.probe_ttl) \(.from)"' | sort -u
}

by_scamper() { # method sport dport dst
	case $1 in
	udp) lab_how="-P udp-paris -s $2 -d $3" ;;
	icmp) lab_how="-P icmp-paris" ;;
	tcp) lab_how="-P tcp -s $2 -d $3" ;;
	esac
	lab_run host scamper -p 1000 -O json -c "trace $lab_how" -i "$4" |
		jq -r 'select(.type == "trace") | .hops[] |
			"\(.probe_ttl) \(.addr)"' | sort -u
}

# scamper first: who holds sonde's port ends a moment after the command.
same_hops() {
	by_scamper "$@" >"$lab_dir/scamper"
	by_sonde "$@" >"$lab_dir/sonde"
	cat "$lab_dir/sonde" >>"$lab_dir/all"
	# Hops 1 and 2, the join, the last router and the target.
	[ "$(wc -l <"$lab_dir/scamper")" = 5 ] &&
		cmp -s "$lab_dir/sonde" "$lab_dir/scamper" && return
	echo "# sonde:" "$(tr '\n' ';' <"$lab_dir/sonde")"
	echo "# scamper:" "$(tr '\n' ';' <"$lab_dir/scamper")"
	return 1
}

flow=0
for sport in 33001 41077 52111 60901; do
	for dst in 11.200.0.7 11.201.99.3 2600:200::7 2600:200:9::77; do
		flow=$((flow + 1))
		check "udp flow $flow has the same hops" \
			same_hops udp $sport $((33434 + flow)) $dst
		check "tcp flow $flow has the same hops" \
			same_hops tcp $sport $((80 + flow)) $dst
	done
done
for dst in 11.200.0.7 11.201.3.3 11.200.77.1 2600:200::7 2600:200:9::77; do
	check "an echo flow to $dst has the same hops" \
		same_hops icmp 0 0 $dst
done
for family in 11.0 2600; do
	check "the flows took all four ways ($family)" \
		[ "$(grep "^2 $family" "$lab_dir/all" | sort -u |
			wc -l)" = 4 ]
done
done_testing
