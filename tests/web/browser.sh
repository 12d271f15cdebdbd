#!/bin/sh
# SPDX-License-Identifier: ISC
# The pages in headless Chromium, against the made-up world of the pages' own
# development server.  Pictures of what it saw are in $O/check/screens.
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh
O=${O:-build}
screens=$O/check/screens

command -v node >/dev/null || skip_all "no node"
chromium=$(command -v chromium) || skip_all "no chromium"
[ -x /usr/lib/chromium/chromium ] && chromium=/usr/lib/chromium/chromium

modules() { # folder
	[ -d "$1/node_modules" ] && return
	command -v npm >/dev/null || return
	(cd "$1" && npm ci --ignore-scripts --no-audit --no-fund) >/dev/null 2>&1
}
modules web/ui || skip_all "the pages' packages are not installed"
modules tests/web/browser || skip_all "playwright-core is not installed"

scratch=$(mktemp -d)
pids=
cleanup() {
	# shellcheck disable=SC2086 # a list
	[ -z "$pids" ] || kill $pids 2>/dev/null
	rm -rf "$scratch"
}
trap cleanup EXIT

serve() { # name, options...
	name=$1
	shift
	node web/ui/dev-server.mjs --port 0 --dist "$scratch/dist" "$@" \
		>"$scratch/$name" &
	pids="$pids $!"
	tries=0
	until [ -s "$scratch/$name" ] || [ "$tries" = 100 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
}
node web/ui/build.mjs "$scratch/dist" || skip_all "esbuild does not run here"
serve full
serve empty --empty
mkdir -p "$screens"
node tests/web/browser/run.mjs "$chromium" "$(cat "$scratch/full")" \
	"$(cat "$scratch/empty")" "$screens"
