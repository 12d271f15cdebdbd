#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2317 # functions that check calls
# A vantage point with two uplinks, and campaigns that choose among what its
# operator allows: records say by which way the probes left, and what is not
# allowed, or is not there, is a run that failed, with the reason.
. tests/tap.sh
. tests/net/lab.sh
command -v jq >/dev/null || skip_all "jq is not installed"
lab_start
lab_uplinks
ip -n "lab$$-host" route add default via 11.0.1.2
ip -n "lab$$-host" route add default via 11.0.2.2 table 100
ip -n "lab$$-host" rule add fwmark 7 lookup 100
ip -n "lab$$-host" rule add from 11.0.2.1 lookup 100
ip -n "lab$$-host" route add default via 11.0.2.2 metric 9
ip -n "lab$$-host" link add gone0 type veth peer name gone1
check "the lab works" lab_ready host 11.200.0.7 11.0.2.2

# In a network of its own, a port is free.
cat >"$lab_dir/collector.conf" <<CONF
state-dir = "$lab_dir/collector"
listen = "127.0.0.1:8470"
CONF
echo 'remote-allow-private = true' >"$lab_dir/policy.conf"
cat >"$lab_dir/agent.conf" <<CONF
collector = "http://127.0.0.1:8470"
name = "two"
state-dir = "$lab_dir/agent"
policy = "$lab_dir/policy.conf"
allow-weak-sandbox = true
campaign-interfaces = {"to-up1", "to-up2", "gone0"}
campaign-sources = {"11.0.2.1", "11.0.9.9"}
campaign-marks = {"7"}
CONF
sonde() {
	lab_run host "$O/bin/sonde" "$@"
}

until_true() { # command...; a minute on any machine
	lab_i=0
	until "$@"; do
		lab_i=$((lab_i + 1))
		[ "$lab_i" -lt 300 ] || return 1
		sleep 0.2
	done
}

has_token() {
	[ -s "$lab_dir/collector/admin.token" ] && sonde agents >/dev/null 2>&1
}

is_up() {
	[ "$(sonde agents --json | jq -r .state)" = up ]
}

start() {
	lab_spawn host "$O/bin/sonde-collector" -c "$lab_dir/collector.conf" \
		>"$lab_dir/collector.log" 2>&1
	until_true has_token || return 1
	SONDE_TOKEN=$(cat "$lab_dir/collector/admin.token")
	export SONDE_TOKEN
	lab_run host "$O/bin/sonde-agent" enrol -c "$lab_dir/agent.conf" \
		--token "$(sonde token)" >/dev/null || return 1
	lab_spawn host "$O/bin/sonde-agent" -c "$lab_dir/agent.conf" \
		>"$lab_dir/agent.log" 2>&1
	until_true is_up
}
check "a collector, and an agent in that network" start

has_ping() { # campaign
	lab_got=$(sonde records --kind ping --json |
		jq -r "select(.record.campaign == \"$1\") | .record.ping |
			\"\\(.src) \\(.device) \\(.next_hop) \\(.received)\"")
	[ -n "$lab_got" ]
}

goes() { # what its record says, then submit's words
	lab_want=$1
	shift
	lab_id=$(sonde submit ping "$@" -- --count=1) || return 1
	until_true has_ping "$lab_id"
	[ "$lab_got" = "$lab_want" ] && return
	echo "# got:  $lab_got"
	echo "# want: $lab_want"
	return 1
}

has_failed() { # campaign
	lab_got=$(sonde campaigns --json |
		jq -r "select(.id == \"$1\" and .failed_runs > 0).last_error")
	[ -n "$lab_got" ]
}

fails() { # a part of the reason, then submit's words
	lab_want=$1
	shift
	lab_id=$(sonde submit ping "$@" -- --count=1) || return 1
	until_true has_failed "$lab_id"
	case $lab_got in *"$lab_want"*) return ;; esac
	echo "# got: $lab_got"
	return 1
}

check "a campaign without a wish goes by the route" \
	goes "11.0.1.1 to-up1 11.0.1.2 1" 11.200.0.7
check "one with an interface leaves by it" \
	goes "11.0.2.1 to-up2 11.0.2.2 1" 11.200.0.7 --interface to-up2
check "one with a source has it, and its rules" \
	goes "11.0.2.1 to-up2 11.0.2.2 1" 11.200.0.7 --source 11.0.2.1
check "one with a mark goes by the rules for it" \
	goes "11.0.2.1 to-up2 11.0.2.2 1" 11.200.0.7 --mark 7
check "and after that the others go as before" \
	goes "11.0.1.1 to-up1 11.0.1.2 1" 11.200.0.8
link_local() { # node, device
	ip -n "lab$$-$1" -6 -o addr show dev "$2" scope link |
		awk '{ sub("/.*", "", $4); print $4 }'
}
check "a link-local target is asked on its zone's link" \
	goes "$(link_local host to-up2) to-up2 null 1" \
	"$(link_local up2 to-host)%to-up2"

check "a device that is not on the list fails the run" \
	fails "campaigns may not choose 'eth9'" 11.200.0.7 --interface eth9
check "so does a zone" \
	fails "campaigns may not choose 'eth9'" "fe80::1%eth9"
check "an address that is not on the list" \
	fails "campaigns may not choose 11.0.1.1" 11.200.0.7 --source 11.0.1.1
check "an address on the list that is not this host's" \
	fails "11.0.9.9 is no address of this host" 11.200.0.7 \
	--source 11.0.9.9
check "a mark that is not on the list" \
	fails "campaigns may not choose 0x8" 11.200.0.7 --mark 8
ip -n "lab$$-host" link del gone0
check "a device on the list that vanished" \
	fails "this host has no 'gone0'" 11.200.0.7 --interface gone0
reasons() {
	lab_got=$(sonde runs --json | jq -r '.error // empty' | sort -u | wc -l)
	[ "$lab_got" -ge 5 ] && return
	echo "# got: $lab_got reasons"
	return 1
}
check "each run that failed says why" reasons

# An uplink that is down: in the ping's record, and in the agent's day.
ip -n "lab$$-up2" link set to-host down
cut_off() {
	lab_id=$(sonde submit ping 11.200.0.7 --interface to-up2 -- --count=2) ||
		return 1
	until_true has_ping "$lab_id"
	lab_got=$(sonde records --kind ping --json |
		jq -r "select(.record.campaign == \"$lab_id\") | .record.ping |
			\"\\(.sent) \\(.not_sent) \\(.device): \\(.error)\"")
	[ "$lab_got" = "0 2 to-up2: network is down: to-up2" ] && return
	echo "# got: $lab_got"
	return 1
}
check "a ping over an uplink without carrier was not sent" cut_off
has_day() {
	lab_got=$(sonde agents --json | jq -c '.unsent[] |
		[.outcome, .reason, .device, .probes, (.hours | add)]')
	[ "$lab_got" = '["not-sent","network is down","to-up2",2,2]' ]
}
day() {
	until_true has_day && return
	echo "# got: $lab_got"
	return 1
}
check "and the agent's day says so" day

refused() { # submit's words
	! sonde submit ping 11.200.0.7 "$@" 2>"$lab_dir/err" &&
		grep -q "options\.\(interface\|source\|mark\)" "$lab_dir/err"
}
check "lo is refused at once" refused --interface lo
check "a mark out of range is refused at once" refused --mark 4294967296
check "a source that is no address is refused at once" refused --source here
done_testing
