#!/bin/sh
# SPDX-License-Identifier: ISC
# What the installation of dependencies asks for, and what it leaves of the
# services that packages enable: on a file system of the test's own, with an
# apt-get that does what the real packages' scripts do.
. tests/tap.sh
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
etc=$dir/root/etc

cat >"$dir/dpkg-query" <<'EOF'
#!/bin/sh
shift 3 # -W -f FORMAT
for package; do
	if grep -qx "$package" "$FAKE/installed"; then
		echo "installed $package"
	fi
done
EOF
cat >"$dir/apt-get" <<'EOF'
#!/bin/sh
echo "$@" >>"$FAKE/apt.log"
[ "$1" = install ] || exit 0
etc=$DEPS_ROOT/etc
"$DEPS_ROOT/usr/sbin/policy-rc.d" prometheus start
echo $? >"$FAKE/policy-answer"
for unit in prometheus nfdump; do
	ln -sf "/lib/systemd/system/$unit.service" \
		"$etc/systemd/system/multi-user.target.wants/$unit.service"
	for level in 2 3 4 5; do
		ln -sf "../init.d/$unit" "$etc/rc$level.d/S01$unit"
	done
	ln -sf "../init.d/$unit" "$etc/rc0.d/K01$unit"
done
mkdir -p "$etc/systemd/system/sockets.target.wants"
ln -sf /lib/systemd/system/x.socket \
	"$etc/systemd/system/sockets.target.wants/x.socket"
# An upgrade on the way makes its link again.
ln -sf /lib/systemd/system/postgresql.service \
	"$etc/systemd/system/multi-user.target.wants/postgresql.service"
exit "${APT_FAILS:-0}"
EOF
chmod +x "$dir/dpkg-query" "$dir/apt-get"

fresh() { # a machine with one service of its own
	rm -rf "$dir/root" "$dir/apt.log"
	mkdir -p "$etc/systemd/system/multi-user.target.wants" \
		"$dir/root/usr/sbin"
	for level in 0 2 3 4 5; do
		mkdir -p "$etc/rc$level.d"
	done
	ln -s /lib/systemd/system/postgresql.service \
		"$etc/systemd/system/multi-user.target.wants/postgresql.service"
	ln -s ../init.d/postgresql "$etc/rc2.d/S01postgresql"
	: >"$dir/installed"
}
deps() {
	FAKE=$dir DEPS_ROOT=$dir/root PATH=$dir:$PATH tests/install-deps.sh \
		"$@" >"$dir/out" 2>&1
}
asked() { # word
	grep -q "^install.* $1\( \|$\)" "$dir/apt.log"
}
not_asked() {
	! asked "$1"
}
enabled() {
	(cd "$etc" && find systemd rc[0-9].d -type l -name '[!K]*' | sort |
		tr '\n' ' ')
}

fresh
before=$(enabled)
deps check
check "what packages enabled is disabled, the rest stays" \
	[ "$(enabled)" = "$before" ]
check "rc scripts are kept as stopped" [ -L "$etc/rc2.d/K01nfdump" ]
check "no service could start meanwhile" \
	[ "$(cat "$dir/policy-answer")" = 101 ]
check "the policy is gone afterwards" [ ! -e "$dir/root/usr/sbin/policy-rc.d" ]

fresh
echo 'exit 0' >"$dir/root/usr/sbin/policy-rc.d"
chmod +x "$dir/root/usr/sbin/policy-rc.d"
APT_FAILS=100 deps check
check "an installation that fails is reported and goes on" \
	grep -q 'could not install' "$dir/out"
check "it enables nothing either" [ "$(enabled)" = "$before" ]
check "an administrator's policy was overruled" \
	[ "$(cat "$dir/policy-answer")" = 101 ]
check "and is there again" \
	[ "$(cat "$dir/root/usr/sbin/policy-rc.d")" = 'exit 0' ]

fresh
ln -s /lib/systemd/system/nfdump.service \
	"$etc/systemd/system/multi-user.target.wants/nfdump.service"
deps check
check "what was enabled before stays enabled" [ -L \
	"$etc/systemd/system/multi-user.target.wants/nfdump.service" ]

fresh
deps run
check "running needs a compiler" asked gcc
check "and no browser" not_asked chromium
check "and no peer" not_asked nfdump
printf '%s\n' gcc make >"$dir/installed"
rm "$dir/apt.log"
deps run
check "what is installed is not asked for" not_asked gcc

fresh
deps check bench
check "tests need the browser" asked chromium
check "benchmarks need the peers" asked fping
twice=$(grep '^install' "$dir/apt.log" | tr ' ' '\n' | sort | uniq -d)
check "what two groups need is asked for once" [ -z "$twice" ]

sed -n 's/^install.* --no-install-recommends //p' "$dir/apt.log" |
	tr ' ' '\n' >"$dir/installed"
rm "$dir/apt.log"
deps check bench
check "with all installed nothing is done" [ ! -e "$dir/apt.log" ]
deps tools
check "an unknown group is an error" grep -q "no group 'tools'" "$dir/out"
done_testing
