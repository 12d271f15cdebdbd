#!/bin/sh
# SPDX-License-Identifier: ISC
# usage: install-deps.sh GROUP ...
# Installs the missing packages of the groups by Debian's names: `run` builds
# and runs, `unit` and `check` test, `bench` compares with peers, `coverage`
# counts lines, `calibrate` makes ordinary traffic.
#
# Nothing that comes along is started or will be started at the next boot:
# what the packages have enabled is disabled again; what was enabled before
# stays.  Where it cannot install (not root, not Debian, no network) it says
# what is missing and goes on: the compiler names a missing library, and a
# test whose tool is missing reports itself as skipped.
#
# DEPS_ROOT is put before the paths of /etc and /usr/sbin, for the script's own
# test.
set -u
root=${DEPS_ROOT:-}

run='gcc libc6-dev make pkg-config protobuf-c-compiler libprotobuf-c-dev
libpcap-dev libnet1-dev libsqlite3-dev libmicrohttpd-dev libgnutls28-dev
liblua5.4-dev libzstd-dev libjansson-dev libsodium-dev libconfuse-dev
libseccomp-dev libcap-ng-dev zlib1g-dev python3 iproute2'
unit='libcmocka-dev'
check='ca-certificates chromium clang clang-format clang-tidy
cppcheck curl fping git iputils-ping jq libclang-rt-14-dev mandoc nftables
openssl procps prometheus python3-jsonschema python3-scapy scamper shellcheck
tcpdump traceroute tshark'
bench='fping iputils-ping nfdump openssl scamper tcpdump traceroute'
coverage='gcovr'
calibrate='avahi-daemon avahi-utils baresip-core bind9-dnsutils chromium
chrony curl dbus-daemon dnsmasq-base fping iperf3 iputils-ping isc-dhcp-client
lftp libcoap3-bin masscan memcached mosquitto mosquitto-clients mtr-tiny
nginx-light nmap nsd openssh-client openssh-server openssl redis-server rsync
samba smbclient snmp snmpd tcpdump tftp-hpa tftpd-hpa traceroute
transmission-cli unbound vsftpd'

wanted=
for group; do
	case $group in
	run) wanted="$wanted $run" ;;
	unit) wanted="$wanted $unit" ;;
	check) wanted="$wanted $check" ;;
	bench) wanted="$wanted $bench" ;;
	coverage) wanted="$wanted $coverage" ;;
	calibrate) wanted="$wanted $calibrate" ;;
	*)
		echo "deps: no group '$group'; there are: run unit check bench coverage calibrate" >&2
		exit 2
		;;
	esac
done

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "deps: this is not Debian; the packages by Debian's names are:" >&2
	# shellcheck disable=SC2086
	echo $wanted libcurl4-openssl-dev nodejs npm | fold -s -w 76 >&2
	exit 0
fi

# Names of those that are installed, one a line.
installed() {
	dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
		sed -n 's/^installed //p'
}

# shellcheck disable=SC2086
have=$(installed $wanted libcurl4-openssl-dev libcurl4-gnutls-dev)
missing=
for package in $wanted; do
	case "
$have
$missing " in
	*"
$package
"* | *" $package "*) ;;
	*) missing="$missing $package" ;;
	esac
done
case " $wanted " in
*' gcc '*)
	# Either will do; over GnuTLS an agent takes 4 MB more.
	case $have in
	*libcurl4-*) ;;
	*) missing="$missing libcurl4-openssl-dev" ;;
	esac
	# A release brings the built pages along.
	if [ ! -e build/web/dist/.stamp ]; then
		command -v node >/dev/null 2>&1 || missing="$missing nodejs"
		command -v npm >/dev/null 2>&1 || missing="$missing npm"
	fi
	;;
esac
missing=${missing# }
[ -n "$missing" ] || exit 0

if [ -z "$root" ] && [ "$(id -u)" != 0 ]; then
	echo "deps: missing: $missing" >&2
	echo "deps: install them with: sudo apt-get install --no-install-recommends $missing" >&2
	exit 0
fi

# The links by which systemd and rc start services at boot.
enabled() {
	for link in "$root"/etc/systemd/system/*.wants/* \
		"$root"/etc/systemd/system/*.requires/* \
		"$root"/etc/systemd/user/*.wants/* "$root"/etc/rc[0-9S].d/S*; do
		[ ! -L "$link" ] || echo "$link"
	done
}

# As `systemctl disable` and `update-rc.d disable` leave it; the packages'
# own upgrades respect that, and no systemd needs to run.
disable_newly_enabled() { # file with the links of before
	enabled | while read -r link; do
		if grep -qxF "$link" "$1"; then
			continue
		fi
		name=${link##*/}
		case $link in
		*/rc[0-9S].d/*) mv "$link" "${link%/*}/K${name#S}" ;;
		*) rm -f "$link" ;;
		esac
		echo "deps: ${name#S[0-9][0-9]} stays disabled"
	done | sort -u
	[ -n "$root" ] || [ ! -d /run/systemd/system ] ||
		systemctl daemon-reload || :
}

policy=$root/usr/sbin/policy-rc.d
work=$(mktemp -d) || exit 1
enabled >"$work/before"

finish() {
	disable_newly_enabled "$work/before"
	rm -f "$policy"
	[ ! -e "$work/policy-rc.d" ] || mv "$work/policy-rc.d" "$policy"
	rm -rf "$work"
}
trap 'finish; exit 130' INT TERM HUP

# invoke-rc.d and deb-systemd-invoke ask it: no service may start now.
[ ! -e "$policy" ] || cp -p "$policy" "$work/policy-rc.d"
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod +x "$policy"

echo "deps: installing $missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq || echo "deps: apt-get update failed" >&2
# shellcheck disable=SC2086
apt-get install -qq -y --no-install-recommends $missing >/dev/null ||
	echo "deps: apt-get could not install all of: $missing" >&2
finish
