#!/bin/sh
# SPDX-License-Identifier: ISC
# Measuring where things are as they are for many: names that a resolver takes
# its time for, a slow pipe, a suspended command, no privilege, a container.
# shellcheck disable=SC2317 # functions that check calls
. tests/tap.sh
. tests/net/lab.sh
O=${O:-build}
sonde=$(readlink -f "$O/bin/sonde")
[ -x "$sonde" ] || skip_all "$O/bin/sonde is not built"
lab_start
lab_node host router peer
lab_chain host router peer
lab_target peer
check "the lab works" lab_ready host 11.200.0.1
chmod 755 "$lab_dir"

# field EXPRESSION: of the records of the last run, as r
field() {
	python3 -c 'import json, sys
r = [json.loads(l) for l in open(sys.argv[1]) if l.startswith("{")]
print(eval(sys.argv[2]))' "$lab_dir/out" "$1"
}

# right WANTED EXPRESSION
right() {
	got=$(field "$2")
	[ "$got" = "$1" ] && return
	echo "# $2 is $got, expected $1"
	sed 's/^/# /' "$lab_dir/err"
	return 1
}

# A name server that answers nothing for names with "dead" in them, and nothing
# at all before 20 names have been asked for: who asks for one after the other
# waits for ever.  hN has the address 11.200.0.N.
cat >"$lab_dir/server.py" <<'END'
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("11.0.2.2", 53))
open(sys.argv[1], "w").close()
def answer(q, a):
    i, label = 12, q[13:13 + q[12]]
    while q[i]:
        i += q[i] + 1
    kind = struct.unpack("!H", q[i + 1:i + 3])[0]
    n = 77 if label.startswith(b"xn--") else int(label[1:])
    r = b"" if kind != 1 else (b"\xc0\x0c" + struct.pack(
        "!HHIH", 1, 1, 60, 4) + bytes([11, 200, 0, n]))
    s.sendto(q[:2] + b"\x81\x80" + struct.pack("!HHHH", 1, kind == 1, 0, 0)
             + q[12:i + 5] + r, a)
names, held = set(), []
while True:
    q, a = s.recvfrom(1500)
    if b"dead" in q:
        continue
    names.add(q[13:13 + q[12]])
    held.append((q, a))
    while len(names) >= 20 and held:
        answer(*held.pop())
END
lab_spawn peer timeout 120 python3 "$lab_dir/server.py" "$lab_dir/bound"
for _ in $(seq 100); do
	[ -f "$lab_dir/bound" ] && break
	sleep 0.1
done
echo nameserver 11.0.2.2 >"$lab_dir/resolv.conf"
echo "hosts: files dns" >"$lab_dir/nsswitch.conf"
# shellcheck disable=SC2016 # for the inner shell
# with_names COMMAND...: on the host, with that name server
with_names() {
	lab_run host unshare -m sh -c '
		mount --bind "$0/resolv.conf" "$(readlink -f /etc/resolv.conf)"
		mount --bind "$0/nsswitch.conf" /etc/nsswitch.conf
		exec "$@"' "$lab_dir" "$@"
}

for i in $(seq 100); do echo "h$i.example"; done >"$lab_dir/names"
many() {
	with_names timeout 60 "$sonde" ping -c 1 --json -f "$lab_dir/names" \
		>"$lab_dir/out" 2>"$lab_dir/err"
	right 100 'sum(x["ping"]["received"] for x in r)'
}
check "names are asked for side by side" many

# The dead ones hold up neither names nor addresses behind them.
for i in $(seq 20); do echo "dead$i.example"; done >"$lab_dir/names"
printf 'h9.example\n11.200.0.8\n' >>"$lab_dir/names"
dead() {
	: >"$lab_dir/out"
	with_names timeout 60 "$sonde" ping -c 1 --json -f "$lab_dir/names" \
		>"$lab_dir/out" 2>"$lab_dir/err" &
	run=$!
	for _ in $(seq 80); do
		[ "$(grep -c . "$lab_dir/out")" = 2 ] && break
		sleep 0.1
	done
	kill -0 "$run" || return
	kill -INT "$run"
	wait "$run"
	right "11.200.0.8 11.200.0.9" \
		'" ".join(sorted(x["ping"]["dst"] for x in r))'
}
check "names without an answer hold up nobody" dead
other_script() {
	with_names timeout 60 "$sonde" ping -c 1 --json "$1" \
		>"$lab_dir/out" 2>"$lab_dir/err"
	right "11.200.0.77" 'r[0]["ping"]["dst"]'
}
if ldconfig -p | grep -q libidn2; then
	check "a name of another script is looked up" \
		other_script "$(printf 'b\303\274cher.example')"
else
	skip "a name of another script is looked up" "no libidn2"
fi

# A line of the pipe is measured before the next one comes.
slowly() {
	mkfifo "$lab_dir/pipe"
	lab_run host timeout 60 "$sonde" ping -c 1 --json -f - \
		<"$lab_dir/pipe" >"$lab_dir/out" 2>"$lab_dir/err" &
	run=$!
	{
		echo 11.200.0.1
		for _ in $(seq 100); do
			[ -s "$lab_dir/out" ] && break
			sleep 0.1
		done
		cp "$lab_dir/out" "$lab_dir/early"
		echo 11.200.0.2
	} >"$lab_dir/pipe"
	wait "$run" && [ -s "$lab_dir/early" ] && right 2 'len(r)'
}
check "what comes by a pipe is measured as it comes" slowly

interrupted() { # what comes behind is not told of, target by target
	yes 11.200.0.9 | lab_run host timeout -k 30 -s INT 1 "$sonde" ping \
		-c 1 -w 100ms --late 0 --csv -f - >"$lab_dir/out" \
		2>"$lab_dir/err"
	[ "$(wc -l <"$lab_dir/out")" -gt 1 ] &&
		[ "$(wc -l <"$lab_dir/err")" -le 3 ] &&
		! grep -q "by signal" "$lab_dir/err"
}
check "an interrupt ends what a pipe would go on with" interrupted

# Suspended as a terminal does it, for longer than the wait.
cat >"$lab_dir/suspend.py" <<'END'
import os, signal, subprocess, sys, time
run = subprocess.Popen(sys.argv[1:], preexec_fn=lambda: os.setpgid(0, 0))
time.sleep(2)
os.killpg(run.pid, signal.SIGTSTP)
_, status = os.waitpid(run.pid, os.WUNTRACED)
time.sleep(5)
os.killpg(run.pid, signal.SIGCONT)
sys.exit(run.wait() if os.WIFSTOPPED(status) else "it was not suspended")
END
suspended() {
	lab_run host timeout 60 python3 "$lab_dir/suspend.py" "$sonde" ping \
		-c 20 -i 200ms -w 3s --late 0 --json 11.200.0.1 \
		>"$lab_dir/out" 2>"$lab_dir/err" || return
	right "20 20" '"%d %d" % (r[0]["ping"]["sent"], r[0]["ping"]["received"])'
}
check "no probe is lost for a suspended command" suspended

# user ARGUMENTS...: without any privilege
user() {
	lab_run host setpriv --reuid 1000 --regid 1000 --clear-groups \
		--inh-caps=-all --bounding-set=-all timeout 60 "$sonde" "$@" \
		>"$lab_dir/out" 2>"$lab_dir/err"
}
says() {
	grep -qF -- "$1" "$lab_dir/err" && return
	echo "# '$1' is not in:"
	sed 's/^/# /' "$lab_dir/err"
	return 1
}
lab_run host sysctl -qw net.ipv4.ping_group_range="1 0"
user ping -c 1 11.200.0.1
check "without rights it says what grants them" says "setcap cap_net_raw"
lab_run host sysctl -qw net.ipv4.ping_group_range="0 2147483647"
unprivileged() {
	user ping -c 3 -i 10ms --json "$1" &&
		right "3 3 True" '"%d %d %s" % (r[0]["ping"]["sent"],
			r[0]["ping"]["received"],
			0 < r[0]["ping"]["rtt_min_ns"] < 1e9)'
}
check "who may send ICMP echo pings by IPv4" unprivileged 11.200.0.1
check "and by IPv6" unprivileged 2600:200::1
trace_text() {
	user trace -M icmp "$1"
	grep -q "$2" "$lab_dir/out" && grep -q "reached in 2 hops" \
		"$lab_dir/out" && return
	sed 's/^/# /' "$lab_dir/out" "$lab_dir/err"
	return 1
}
check "and traces by it: hops are heard" trace_text 11.200.0.1 11.0.1.2
check "by IPv6 too" trace_text 2600:200::1 2600:0:0:1::2
user ping -c 1 -M udp 11.200.0.1
check "what needs more says so" says "only ICMP echo could be sent"

# Root as a container has it.
few=+chown,+dac_override,+kill,+setgid,+setuid,+setpcap,+net_raw,+sys_chroot
contained() {
	lab_run host setpriv --bounding-set="-all,$1" --inh-caps=-all \
		timeout 60 "$sonde" ping -c 1 --json 11.200.0.1 \
		>"$lab_dir/out" 2>"$lab_dir/err"
	right 1 'r[0]["ping"]["received"]'
}
if setpriv --reuid 1000 --regid 1000 --clear-groups --bounding-set=-all \
	unshare -U true 2>/dev/null; then
	check "root of a container measures" contained "$few"
	check "root with one capability measures" contained +net_raw
else
	skip "root of a container measures" "no user namespaces for users"
	skip "root with one capability measures" "no user namespaces for users"
fi
capable() {
	lab_run host setpriv --reuid 1000 --regid 1000 --clear-groups \
		--inh-caps=+net_raw --ambient-caps=+net_raw \
		timeout 60 "$sonde" trace --json 11.200.0.1 \
		>"$lab_dir/out" 2>"$lab_dir/err"
	right completed 'r[0]["trace"]["stop_reason"]'
}
check "a user with that capability traces" capable
done_testing
