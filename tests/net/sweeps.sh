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
done_testing
