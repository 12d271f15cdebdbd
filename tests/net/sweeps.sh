#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2317 # functions that check calls
# A sweep takes the shortest way to the device only where nothing of this host's
# has a say on what leaves: packet filters, translators and queues are obeyed.
. tests/tap.sh
. tests/net/lab.sh
command -v nft >/dev/null || skip_all "nft is not installed"
O=${O:-build}
lab_start
lab_node host router
lab_link host router
lab_run host nft list tables >/dev/null 2>&1 ||
	skip_all "this kernel gives no nftables"
lab_run host ip route add 11.16.0.0/16 via 11.0.1.2
# What comes to the router is counted and goes nowhere.
lab_run router nft -f - <<'END'
table ip count {
	counter from_host { }
	counter translated { }
	chain in {
		type filter hook prerouting priority -300;
		ip daddr 11.16.0.0/16 ip saddr 11.0.1.1 counter name from_host
		ip daddr 11.16.0.0/16 ip saddr 11.0.1.77 counter name translated
		ip daddr 11.16.0.0/16 drop
	}
}
END

sweep() {
	lab_run host "$O/bin/sonde" run tests/bench/scripts/sweep.lua \
		--count 2000 --wait 1ms 11.16.0.0 >>"$lab_dir/log" 2>&1
}

count() { # counter
	lab_run router nft list counter ip count "$1" |
		sed -n 's/.*packets \([0-9]*\).*/\1/p'
}

arrive() { # from_host, translated: how many
	lab_run router nft reset counters >/dev/null
	sweep
	[ "$(count from_host)" = "$1" ] && [ "$(count translated)" = "$2" ] &&
		return
	echo "# $(count from_host) from the host, $(count translated) translated"
	sed 's/^/# /' "$lab_dir/log"
	return 1
}

host_nft() {
	lab_run host nft flush ruleset && lab_run host nft -f -
}

check "without rules all arrive" arrive 2000 0
host_nft <<'END'
table inet f {
	chain out {
		type filter hook output priority 0;
		ip daddr 11.16.0.0/16 drop
	}
}
END
check "a firewall's rule for what leaves is obeyed" arrive 0 0
host_nft <<'END'
table ip t {
	chain out {
		type nat hook postrouting priority 100;
		ip daddr 11.16.0.0/16 snat to 11.0.1.77
	}
}
END
check "a translator translates" arrive 0 2000

# --- iptables as it was before nftables, while a sweep runs --------------
lab_node old
lab_link old router
lab_run old ip route add 11.16.0.0/12 via 11.0.2.2

# What a packet socket sends, IP does not count; what a raw socket does with its
# header, newer kernels count as transmits, older ones as requests.
by_ip() {
	# shellcheck disable=SC2016
	lab_run old awk '$1 != "Ip:" { next }
		!named { for (i = 2; i <= NF; i++) name[i] = $i; named = 1; next }
		{ for (i = 2; i <= NF; i++) number[name[i]] = $i }
		END { print number["OutRequests"] + number["OutTransmits"] }' \
		/proc/net/snmp
}

sent_by_ip() { # how many more than at first
	lab_try=0
	while [ "$(by_ip)" -lt $((lab_first + $1)) ]; do
		lab_try=$((lab_try + 1))
		if [ "$lab_try" -ge 300 ] || ! kill -0 "$lab_pid" 2>/dev/null; then
			echo "# $(by_ip) by IP, $lab_first at first"
			return 1
		fi
		sleep 0.2
	done
}

left_old() { # how many have
	lab_try=0
	while [ "$(lab_run old cat /sys/class/net/to-router/statistics/tx_packets)" \
		-lt "$1" ]; do
		lab_try=$((lab_try + 1))
		[ "$lab_try" -lt 300 ] || return 1
		sleep 0.2
	done
}

part_legacy() {
	cat >"$lab_dir/steady.lua" <<'END'
return {
	summary = "an echo to each address, for long",
	operands = {type = "host", min = 1, max = 1},
	run = function(args)
		sonde.sweep(sonde.icmp{dst = args.operands[1].address,
			payload_bytes = 8}, {count = 1048576,
			rate_pps = 20000, wait_ns = sonde.ms})
		repeat until not sonde.next()
	end,
}
END
	lab_spawn old "$O/bin/sonde" run "$lab_dir/steady.lua" 11.16.0.0 \
		>>"$lab_dir/log" 2>&1
	# Until the router's address is known, for a second, IP sends.
	check "a sweep leaves" left_old 80000
	lab_first=$(by_ip)
	check "and goes past IP" [ "$lab_first" -lt 60000 ]
	lab_run old "$O/tests/net/legacy-table" 2>"$lab_dir/why"
	case $? in
	0) check "a table that is made then is noticed" sent_by_ip 10000 ;;
	2) skip "a table that is made then is noticed" "$(cat "$lab_dir/why")" ;;
	*) check "a table is made: $(cat "$lab_dir/why")" false ;;
	esac
	kill "$lab_pid" 2>/dev/null
	wait "$lab_pid" 2>/dev/null
}
part_legacy
done_testing
