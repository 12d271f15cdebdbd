#!/bin/sh
# SPDX-License-Identifier: ISC
# Installs every package that building and testing need, by name.  Where it
# cannot (not root, not Debian), it says what to install and goes on: a tool
# that only a test needs makes that test report itself as skipped.
set -u

build='gcc libc6-dev make pkg-config protobuf-c-compiler libprotobuf-c-dev
libpcap-dev libnet1-dev libsqlite3-dev libmicrohttpd-dev libgnutls28-dev
liblua5.4-dev libzstd-dev libjansson-dev libsodium-dev libconfuse-dev
libseccomp-dev libcap-ng-dev'
tests='libcmocka-dev iproute2 nftables procps curl jq openssl ca-certificates
sqlite3 tcpdump tshark scamper fping mtr-tiny traceroute iputils-ping
tcpreplay nfdump python3 python3-scapy python3-jsonschema prometheus
chromium chromium-driver mandoc shellcheck cppcheck clang clang-tidy
clang-format libclang-rt-14-dev git'

missing=
need() {
	for package in $1; do
		case $(dpkg-query -W -f '${db:Status-Status}' "$package" \
			2>/dev/null) in
		installed) ;;
		*) missing="$missing $package" ;;
		esac
	done
}

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "deps: this is not Debian; the packages by Debian's names are:" >&2
	echo "$build" "$tests" | tr '\n' ' ' | fold -s -w 76 >&2
	echo >&2
	exit 0
fi
need "$build"
need "$tests"
# Either will do; over GnuTLS an agent takes 4 MB more.
dpkg-query -W -f '${db:Status-Status}\n' libcurl4-openssl-dev \
	libcurl4-gnutls-dev 2>/dev/null | grep -qx installed ||
	need libcurl4-openssl-dev
command -v node >/dev/null 2>&1 || need 'nodejs'
command -v npm >/dev/null 2>&1 || need 'npm'
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "deps: missing:$missing" >&2
	echo "deps: install them with: sudo apt-get install --no-install-recommends$missing" >&2
	exit 0
fi
echo "deps: installing$missing"
# Test servers must not start by themselves.
policy=/usr/sbin/policy-rc.d
made=
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod +x $policy
	made=1
fi
trap '[ -z "$made" ] || rm -f $policy' EXIT
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -qq -y --no-install-recommends $missing >/dev/null || {
	echo "deps: apt-get could not install all of:$missing" >&2
	exit 1
}
