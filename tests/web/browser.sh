#!/bin/sh
# SPDX-License-Identifier: ISC
# The pages in headless Chromium, as the collector serves them, filled by the
# seed tool; where those are not built, over the made-up world of the pages'
# own development server.  Pictures of it are in $O/check/screens.
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh
O=${O:-build}
screens=$O/check/screens

command -v node >/dev/null || skip_all "no node"
chromium=$(command -v chromium) || skip_all "no chromium"
# Debian's wrapper reads the user's settings; a test must not
[ -x /usr/lib/chromium/chromium ] && chromium=/usr/lib/chromium/chromium

modules() { # folder
	[ -d "$1/node_modules" ] && return
	command -v npm >/dev/null || return
	(cd "$1" && npm ci --ignore-scripts --no-audit --no-fund) >/dev/null 2>&1
}
modules tests/web/browser || skip_all "playwright-core is not installed"

scratch=$(mktemp -d)
pids=
cleanup() {
	# shellcheck disable=SC2086 # a list
	[ -z "$pids" ] || kill $pids 2>/dev/null
	wait
	rm -rf "$scratch"
}
trap cleanup EXIT

# The address that a server says it serves, once it does.
address() { # its log
	tries=0
	until grep -q http "$1" || [ "$tries" = 100 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	sed -n 's,.*\(http://[0-9.:]*\).*,\1/,p' "$1" | head -n 1
}

collector() { # name
	mkdir "$scratch/$1"
	cat >"$scratch/$1.conf" <<-EOF
		state-dir = "$scratch/$1"
		listen = {"127.0.0.1:0"}
	EOF
	"$O/bin/sonde-collector" -c "$scratch/$1.conf" >"$scratch/$1.log" 2>&1 &
	pids="$pids $!"
}

made_up() { # name, options...
	name=$1
	shift
	node web/ui/dev-server.mjs --port 0 --dist "$scratch/dist" "$@" \
		>"$scratch/$name.log" 2>&1 &
	pids="$pids $!"
}

if [ -x "$O/bin/sonde-collector" ] && [ -x "$O/tests/web/seed" ]; then
	collector full
	collector empty
	url=$(address "$scratch/full.log")
	"$O/tests/web/seed" -t "$scratch/full/admin.token" --url "${url%/}" \
		--hours 2 >"$scratch/seed.log" 2>&1 || {
		sed 's/^/# /' "$scratch/seed.log"
		echo "not ok 1 - a collector is filled"
		exit 1
	}
else
	modules web/ui || skip_all "the pages' packages are not installed"
	node web/ui/build.mjs "$scratch/dist" \
		|| skip_all "esbuild does not run here"
	made_up full
	made_up empty --empty
	url=$(address "$scratch/full.log")
fi
mkdir -p "$screens"
node tests/web/browser/run.mjs "$chromium" "$url" \
	"$(address "$scratch/empty.log")" "$screens"
