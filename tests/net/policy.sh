#!/bin/sh
# SPDX-License-Identifier: ISC
# What the guardian says and what a capture at the other end of the wire sees
# must be the same: every probe that it calls sent arrives, none that it calls
# denied does.  Whatever it is told, unknown destinations lead over this wire.
# shellcheck disable=SC2317 # functions that check calls
. tests/tap.sh
. tests/net/lab.sh
command -v tcpdump >/dev/null || skip_all "tcpdump is not installed"
O=${O:-build}
lab_start
lab_node host peer
lab_chain host peer
lab_target peer
# Routes even for what is never a destination: nothing but the policy may be
# what stops a packet.
for prefix in 224.0.0.0/4 240.0.0.0/4 255.255.255.255/32; do
	ip -n "lab$$-host" route add "$prefix" via 11.0.1.2
done
ip -n "lab$$-host" -6 route add ff00::/8 via 2600:0:0:1::2 table local 2>&- ||
	true
check "the lab works" lab_ready host 11.200.0.1 2600:200::1

cat >"$lab_dir/policy.conf" <<'EOF'
deny = { "11.201.7.0/24", "2600:200:dead::/48" }
remote-run-rate = 1000
remote-run-burst = 1000
remote-agent-rate = 1000
remote-agent-burst = 1000
EOF

# The port names the probe in the capture: 30000 and the number of its line.
number() {
	awk '{ print $0, "sport=20000 wait_ms=50 dport=" 30000 + NR }'
}
udp='proto=17 len=4'
for dst in 11.200.0.1 11.201.8.1 9.9.9.9 2600:200::5 2600:200:dead::5 \
	11.201.7.9 10.1.2.3 100.64.0.1 169.254.9.9 172.16.0.1 172.31.255.255 \
	172.32.0.0 192.168.255.255 127.0.0.1 127.1.2.3 0.0.0.0 0.1.2.3 \
	192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.255 192.88.99.1 \
	224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 11.0.1.255 \
	11.0.1.0 11.0.1.1 2600:0:0:1::1 :: ::1 ff02::1 ff0e::1 fe80::1 fd00::1 \
	::ffff:11.200.0.1 ::11.200.0.1 64:ff9b::10.0.0.1 64:ff9b::11.200.0.1 \
	2002:a00:1::1 2002:bc8:1::1 2001:0:bc8:1::f437:fffe 2001:db8::1 \
	2600:200::5efe:10.0.0.1 2600:200::5efe:11.200.0.1 3fff::1 4000::1; do
	echo "$dst $udp"
done >"$lab_dir/lines"
cat >>"$lab_dir/lines" <<EOF
11.201.7.10 $udp junk=255
11.0.1.1 $udp junk=1
10.1.2.4 $udp junk=7
11.200.0.3 $udp junk=9
11.200.0.2 proto=6 flags=2
11.200.0.2 proto=6 flags=16
11.200.0.2 proto=6 flags=18
11.200.0.2 proto=6 flags=4
11.200.0.2 proto=6 flags=0
11.200.0.2 proto=6 flags=255
11.200.0.2 proto=17 text=hello
11.200.0.2 proto=17 len=1400
11.200.0.2 proto=17 len=1401
11.200.0.2 proto=17 ttl=0
11.200.0.2 proto=17 len=2 sum=0
11.200.0.2 proto=17 len=2 sum=0xabcd
11.200.0.2 proto=47
11.200.0.2 proto=41
EOF
number <"$lab_dir/lines" >"$lab_dir/numbered"

# observe WHO FLAGS: drives the guardian, compares its word with the wire.
observe() {
	lab_spawn peer tcpdump -Z root -i any -Q in \
		--immediate-mode -s 2000 -B 4096 -nn -w "$lab_dir/$1.pcap" -U \
		"src 11.0.1.1 or src 2600:0:0:1::1" 2>"$lab_dir/tcpdump.log"
	while ! grep -q listening "$lab_dir/tcpdump.log"; do
		sleep 0.05
	done
	# shellcheck disable=SC2086
	lab_run host "$O/tests/net/guardian-drive" -p "$lab_dir/policy.conf" \
		$2 <"$lab_dir/numbered" >"$lab_dir/$1.said" || return 1
	# The last of all, by another program: where it is, all else is.
	lab_run host ping -n -c 1 -W 2 11.200.9.9 >/dev/null
	until tcpdump -nn -r "$lab_dir/$1.pcap" dst 11.200.9.9 2>/dev/null |
		grep -q .; do
		sleep 0.05
	done
	kill -INT "$lab_pid"
	wait "$lab_pid"
	tcpdump -nn -v -r "$lab_dir/$1.pcap" 2>/dev/null |
		grep -oE '\.20000 > [^ ]*\.30[0-9]{3}:' |
		grep -oE '30[0-9]{3}:$' | tr -d : | sort -n >"$lab_dir/$1.seen"
	awk '$2 == "sent" { print 30000 + $1 }' "$lab_dir/$1.said" |
		sort -n >"$lab_dir/$1.sent"
}

# What was sent to this very machine is not seen by the peer.
is_as_said() {
	awk 'NR == FNR { if ($1 ~ own) mine[30000 + FNR]; next }
		!($1 in mine)' own="$2" "$lab_dir/lines" \
		"$lab_dir/$1.sent" >"$lab_dir/$1.out"
	cmp "$lab_dir/$1.out" "$lab_dir/$1.seen" ||
		diff "$lab_dir/$1.out" "$lab_dir/$1.seen"
}

# reasons WHO: "NUMBER REASON" of all that was not sent.
reasons() {
	awk '$2 != "sent" && $2 != "reply" && $2 != "expired" {
		$2 = ""; print }' "$lab_dir/$1.said" | sort -n | tr -s ' '
}

has() { # WHO DST REASON-or-sent
	line=$(awk -v dst="$2" 'index($0, dst " ") == 1 { print NR; exit }' \
		"$lab_dir/lines")
	grep -qE "^$line (denied $3|$3)" "$lab_dir/$1.said"
}

own='^(11\.0\.1\.1|2600:0:0:1::1|127\..*|::1)$'
check "the guardian serves the administrator" observe local ""
check "the administrator's packets leave as said" is_as_said local "$own"
check "the guardian serves a campaign" observe remote -r
check "a campaign's packets leave as said" is_as_said remote "$own"
check "many of both were sent and denied" sh -c "
	[ \$(wc -l <'$lab_dir/local.seen') -ge 25 ] &&
	[ \$(wc -l <'$lab_dir/remote.seen') -ge 8 ] &&
	[ \$(grep -c denied '$lab_dir/local.said') -ge 20 ] &&
	[ \$(grep -c denied '$lab_dir/remote.said') -ge 45 ]"

while read -r who dst verdict; do
	check "$who to $dst: $verdict" has "$who" "$dst" "$verdict"
done <<EOF
local 11.200.0.1 sent
local 10.1.2.3 sent
local 127.0.0.1 sent
local 11.0.1.1 sent
local 198.18.0.1 sent
local 11.201.7.9 sent
local 224.0.0.1 multicast
local ff02::1 multicast
local 11.0.1.255 broadcast
local 11.0.1.0 broadcast
local 255.255.255.255 broadcast
local 240.0.0.1 special-purpose
local ::ffff:11.200.0.1 embedded-address
remote 11.200.0.1 sent
remote 64:ff9b::11.200.0.1 sent
remote 2002:bc8:1::1 sent
remote 10.1.2.3 private
remote fd00::1 private
remote 198.18.0.1 special-purpose
remote 127.0.0.1 special-purpose
remote 11.0.1.1 own-address
remote 11.201.7.9 deny-list
remote 2600:200:dead::5 deny-list
remote 11.201.7.10 deny-list
remote 10.1.2.4 private
remote 11.200.0.3 sent
remote 64:ff9b::10.0.0.1 embedded-address
remote 2002:a00:1::1 embedded-address
remote 2600:200::5efe:10.0.0.1 embedded-address
EOF
[ "$tap_failed" = 0 ] || { reasons local; reasons remote; } | sed 's/^/#/'
done_testing
