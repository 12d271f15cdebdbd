#!/bin/sh
# SPDX-License-Identifier: ISC
# TLS is in one program of the agent and one of the command, and only there; and
# what happens when such a program is not where it belongs.
# shellcheck disable=SC2317 # functions that check calls
# shellcheck source=tests/tap.sh
. tests/tap.sh
bin=${O:-build}/bin
[ -x "$bin/sonde-agent" ] || skip_all "sonde-agent is not built"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

tls_of() { # program: the libraries of it that speak TLS or need one that does
	ldd "$1" | grep -oE \
		'lib(curl|ssl|crypto|gnutls|krb5|gssapi_krb5|ldap|ssh2|rtmp)[^ ]*'
}

without_tls() {
	found=$(tls_of "$1" | grep .) || return 0
	echo "# $1 links" $found
	return 1
}

alone() { # an agent without sonde-shipper tries to enrol
	cp "$bin/sonde-agent" "$dir/"
	printf 'state-dir = "%s/state"\n' "$dir" >"$dir/agent.conf"
	"$dir/sonde-agent" enrol -c "$dir/agent.conf" --token 0 \
		--collector http://127.0.0.1:9 2>"$dir/err"
	code=$?
	cat "$dir/err"
	[ $code = 74 ] &&
		grep -q "libexec/sonde/sonde-shipper is missing" "$dir/err"
}

command_alone() { # a sonde without sonde-commands lists the agents
	cp "$bin/sonde" "$dir/"
	"$dir/sonde" agents 2>"$dir/err"
	code=$?
	cat "$dir/err"
	[ $code = 74 ] &&
		grep -q "libexec/sonde/sonde-commands is missing" "$dir/err"
}

by_hand() {
	"$bin/sonde-shipper" </dev/null 2>"$dir/err"
	[ $? = 2 ] && grep -q "started by sonde-agent" "$dir/err"
}

check "sonde-shipper links libcurl" \
	sh -c 'ldd "$1" | grep -q libcurl' _ "$bin/sonde-shipper"
check "sonde-agent links nothing of TLS" without_tls "$bin/sonde-agent"
check "sonde links nothing of TLS" without_tls "$bin/sonde"
check "a sonde without sonde-commands names the path" command_alone
check "an agent without its shipper names the path" alone
check "sonde-shipper is not for hands" by_hand
done_testing
