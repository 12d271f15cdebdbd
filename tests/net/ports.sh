#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2317 # functions that check calls
# No reply to a UDP probe is answered by this host with a port unreachable, from
# whichever of its ports the probe left; and a command that follows another at
# once may leave from the same port.
. tests/tap.sh
. tests/net/lab.sh
command -v python3 >/dev/null || skip_all "python3 is not installed"
lab_start
lab_node host far
lab_link host far
cat >"$lab_dir/echo.py" <<'END'
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
s.bind(("::", 7007))
while True:
    data, whence = s.recvfrom(2048)
    s.sendto(data, whence)
END
lab_spawn far python3 "$lab_dir/echo.py"

ping_by_udp() { # options...
	lab_run host "$O/bin/sonde" ping --method udp --port 7007 "$@" \
		>"$lab_dir/out" 2>>"$lab_dir/sonde.log"
}

is_there() {
	for _ in $(seq 100); do
		ping_by_udp -c 1 -w 500ms 11.0.1.2 && return
		sleep 0.1
	done
	return 1
}

# What the host answered so far: ICMP and ICMPv6 together.
unreachables() {
	lab_run host cat /proc/net/snmp /proc/net/snmp6 | awk '
		$1 == "Icmp:" && !at {
			for (i = 1; i <= NF; i++)
				if ($i == "OutDestUnreachs")
					at = i
			next
		}
		$1 == "Icmp:" { sum += $at }
		$1 == "Icmp6OutDestUnreachs" { sum += $2 }
		END { print sum + 0 }'
}

answers_none() { # options...
	before=$(unreachables)
	ping_by_udp "$@" || return 1
	after=$(unreachables)
	[ "$before" = "$after" ] && return
	echo "# $((after - before)) port unreachables"
	return 1
}

again_at_once() {
	for _ in $(seq 20); do
		ping_by_udp -c 1 --sport 40000 11.0.1.2 || return 1
	done
}

check "the target echoes" is_there
check "the host counts what it refuses" [ "$(unreachables)" -ge 0 ]
check "replies to 90 ports are not refused" answers_none -c 90 -i 5ms 11.0.1.2
check "nor those of IPv6" answers_none -c 90 -i 5ms 2600:0:0:1::2
check "a command may follow another from the same port" again_at_once
done_testing
