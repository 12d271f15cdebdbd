#!/bin/sh
# SPDX-License-Identifier: ISC
# make demo in a clone that another user built: it says which folder is closed to
# it, where something has to be built, and not the linker.
. tests/tap.sh
as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}
[ "$(id -u)" = 0 ] || skip_all "needs root to become another user"
as_nobody test -r tests/demo/demo.sh -a -r Makefile 2>/dev/null ||
	skip_all "another user cannot read this folder"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/build"
O="$dir/build" as_nobody tests/demo/demo.sh >"$dir/out" 2>"$dir/err"
check "a folder that is closed ends it" [ $? = 1 ]
check "it is named with what to do" \
	grep -q "demo: '$dir/build' belongs to root, .* make demo O=FOLDER" "$dir/err"
check "before any step" [ ! -s "$dir/out" ]
done_testing
