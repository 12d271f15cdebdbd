#!/bin/sh
# SPDX-License-Identifier: ISC
# usage: golden.sh [--update [NAME]]: every line of CASES against NAME.out, which
# is standard output and behind it standard error: two processes write them, so
# their order is nobody's promise.
set -u
cd "$(dirname "$0")" || exit 1
root=$(cd ../.. && pwd)
case ${O:-build} in
/*) sonde=$O/bin/sonde ;;
*) sonde=$root/${O:-build}/bin/sonde ;;
esac
. "$root/tests/tap.sh"
[ -x "$sonde" ] || skip_all "$sonde is not built"
got=$(mktemp)
trap 'rm -f "$got" "$got.err"' EXIT
export TZ=UTC LC_ALL=C NO_COLOR=1

run() { # code, arguments...
	want=$1
	shift
	timeout 300 "$sonde" "$@" >"$got" 2>"$got.err" </dev/null
	code=$?
	cat "$got.err" >>"$got"
	[ "$code" = "$want" ] || {
		echo "# exit $code, expected $want"
		return 1
	}
}

same() { # name, code, arguments...
	name=$1
	shift
	run "$@" || { sed 's/^/# /' "$got"; return 1; }
	diff -u "$name.out" "$got" >"$got.diff" && { rm "$got.diff"; return 0; }
	sed 's/^/# /' "$got.diff"
	rm "$got.diff"
	return 1
}

update() { # name, code, arguments...
	name=$1
	shift
	run "$@" || return
	cmp -s "$got" "$name.out" && return
	cp "$got" "$name.out"
	chmod 644 "$name.out"
	echo "$name.out is new"
}

while read -r name code arguments; do
	case $name in '' | '#'*) continue ;; esac
	if [ "${1-}" = --update ]; then
		# shellcheck disable=SC2086 # words are meant
		case ${2-} in
		'' | "$name") update "$name" "$code" $arguments ;;
		esac
	else
		# shellcheck disable=SC2086
		check "$name" same "$name" "$code" $arguments
	fi
done <CASES
# Every outcome that a probe can have is one of a case whose truth is known.
outcome_occurs() {
	grep -qE "\"outcome\":\"$1\"|,(true|false),[a-z]*,$1," ./*.out
}

[ "${1-}" = --update ] && exit
for outcome in answered hop rejected late other-address not-sent denied \
	ambiguous silent; do
	check "a case has the outcome $outcome" outcome_occurs "$outcome"
done
done_testing
