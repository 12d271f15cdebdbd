#!/bin/sh
# SPDX-License-Identifier: ISC
# Our programs and their peers on the same work.  A part that this machine
# cannot run says so.
set -u
cd "$(dirname "$0")/../.." || exit 1
echo "Sonde $(cat VERSION), $(nproc) processors, Linux $(uname -r)"
for part in sensor sensor-live latency outbreak measure timing ingest map agent-memory; do
	for file in tests/bench/"$part".py tests/bench/"$part".sh; do
		[ ! -x "$file" ] || "$file" || echo "bench: $file failed" >&2
	done
done
