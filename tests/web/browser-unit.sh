#!/bin/sh
# SPDX-License-Identifier: ISC
# The pure modules of the pages, and that building the pages twice gives the
# same bytes.
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh

command -v node >/dev/null || skip_all "no node"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

modules_work() {
	node --test web/ui/test/*.test.js >"$scratch/log" 2>&1 && return
	sed 's/^/# /' "$scratch/log"
	false
}
check "the modules of the pages do what their tests say" modules_work

if [ ! -d web/ui/node_modules/esbuild ]; then
	skip "two builds of the pages are equal" "no web/ui/node_modules"
	done_testing
fi
same_build() {
	node web/ui/build.mjs "$scratch/a" && node web/ui/build.mjs "$scratch/b" \
		&& diff -r "$scratch/a" "$scratch/b"
}
main_is_small() {
	size=$(cat "$scratch"/a/main-*.js | wc -c)
	[ "$size" -lt 300000 ] || echo "# main is $size bytes, limit 300000"
	[ "$size" -lt 300000 ]
}
nothing_inline() {
	! grep -qE '<style|style=|<script>|onclick=' "$scratch/a/index.html" \
		&& ! grep -rq 'sourceMappingURL' "$scratch/a"
}
check "two builds of the pages are equal" same_build
check "the main script stays below 300 kB" main_is_small
check "the page carries no inline script, style or source map" nothing_inline
done_testing
