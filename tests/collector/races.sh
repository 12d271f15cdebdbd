#!/bin/sh
# SPDX-License-Identifier: ISC
# Threads under ThreadSanitizer: the tests that have some, then the whole
# collector while agents ship, browsers read, follow events and hand out work.
. tests/tap.sh
build=${O:-build}
tsan=$build-tsan
[ -s "$tsan/tests/thread.list" ] ||
	skip_all "there is no build with -fsanitize=thread: make check makes it"
dir=$(mktemp -d) || exit 1
port=$((20000 + $$ % 20000))
url=http://127.0.0.1:$port
collector='' readers=''
# shellcheck disable=SC2086
trap 'kill $readers $collector 2>/dev/null; rm -rf "$dir"' EXIT
export TSAN_OPTIONS=halt_on_error=0:exitcode=66
export CMOCKA_MESSAGE_OUTPUT=STDOUT

has_no_race() { # log
	! grep -A 20 'WARNING: ThreadSanitizer' "$1" | sed 's/^/# /' | grep .
}

while read -r program; do
	"$program" >"$dir/test" 2>&1
	code=$?
	check "${program#*/tests/} has no race" has_no_race "$dir/test"
	check "${program#*/tests/} passes under ThreadSanitizer" [ $code = 0 ]
done <"$tsan/tests/thread.list"

cat >"$dir/conf" <<END
state-dir = "$dir/state"
listen = "127.0.0.1:$port"
alarm-interval = "1s"
END
"$tsan/bin/sonde-collector" -c "$dir/conf" 2>"$dir/log" &
collector=$!
for _ in $(seq 100); do
	curl -sf "$url/healthz" >/dev/null && break
	sleep 0.1
done

pages="overview agents campaigns runs records topology signatures alarms
	sightings series?signature=slammer"
read_pages() {
	while :; do
		for page in $pages; do
			curl -s -o /dev/null "$url/api/v1/$page"
		done
		curl -s -o /dev/null "$url/metrics"
	done
}
follow() {
	while :; do
		curl -sN -m 2 -o /dev/null "$url/api/v1/events"
	done
}
read_pages &
readers=$!
follow &
readers="$readers $!"
"$build/tests/web/seed" --url "$url" -t "$dir/state/admin.token" \
	--hours 0.5 >"$dir/seed" 2>&1
seeded=$?
stored=$(curl -s "$url/api/v1/overview" |
	sed 's/.*"stored": *\([0-9]*\).*/\1/')
# shellcheck disable=SC2086
kill $readers
readers=''
kill $collector
wait $collector
code=$?
collector=''
check "a small internet's agents ship" [ $seeded = 0 ]
check "what they ship is stored" [ "${stored:-0}" -gt 100 ]
check "without a race" has_no_race "$dir/log"
check "and ends as it should" [ $code = 0 ]
done_testing
