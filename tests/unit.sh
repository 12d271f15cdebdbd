#!/bin/sh
# SPDX-License-Identifier: ISC
# usage: unit.sh TIMES JOBS PROGRAM ...
# Runs unit tests TIMES each, JOBS at once in any order, and says which failed
# how often, with the output of the first failure of each.  TIMES above 1 are
# meant to find tests that depend on how busy the machine is: give more JOBS
# than there are processors.
set -u
times=$1
jobs=$2
shift 2
programs=$#
logs=${O:-build}/unit
rm -rf "$logs"
mkdir -p "$logs"
export logs CMOCKA_MESSAGE_OUTPUT=TAP
began=$(date +%s)

# Round by round, so that different programs meet.
round=0
while [ "$round" -lt "$times" ]; do
	round=$((round + 1))
	printf "$round %s\n" "$@"
done | xargs -P "$jobs" -n 2 sh -c '
	name=$(echo "${1#*/tests/}" | tr / _)
	log=$logs/$name.$0.log
	timeout -k 10 "${TEST_TIMEOUT:-900}" "$1" >"$log" 2>&1 </dev/null
	code=$?
	if [ $code != 0 ] || grep -q "^not ok" "$log" ||
	    ! grep -q "^ok" "$log"; then
		echo "${1#*/tests/}: exit $code" >>"$log"
		mv "$log" "$logs/$name.$0.failed"
	elif [ "$0" != 1 ]; then
		rm "$log"
	fi
	exit 0'

passed=$(cat "$logs"/*.1.log 2>/dev/null | grep -c '^ok')
for name in $(find "$logs" -name '*.failed' | sed 's,.*/,,; s/\.[0-9]*\.failed$//' |
	sort -u); do
	set -- "$logs/$name".*.failed
	echo "FAIL  $name: $# of $times runs"
	tail -n 40 "$1" | sed 's/^/      /'
done
failed=$(find "$logs" -name '*.failed' | wc -l)
seconds=$(($(date +%s) - began))
[ "$times" = 1 ] || echo "$programs test programs, $times runs of each, $jobs at once"
echo "$passed passed, $failed failed ($seconds s)"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
