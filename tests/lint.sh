#!/bin/bash
# SPDX-License-Identifier: ISC
# Every static judge that this machine has; each must be silent.
set -u
build=${O:-build}
status=0
mapfile -t sources < <(git ls-files '*.c' | grep -v '^tests/')
mapfile -t headers < <(git ls-files '*.h' | grep -v '^tests/')
mapfile -t tested < <(git ls-files 'tests/*.c')

judge() { # name, tool, command...
	local name=$1 tool=$2
	shift 2
	if ! command -v "$tool" >/dev/null 2>&1; then
		echo "skip  $name: $tool is not installed"
		return
	fi
	if "$@" >"$build/lint-$name.log" 2>&1; then
		echo "ok    $name"
	else
		echo "FAIL  $name: $build/lint-$name.log"
		tail -n 40 "$build/lint-$name.log"
		status=1
	fi
}

# One process a file: a finding in one must not hide those of the next.
tidy() {
	local flags="-std=c17 -D_GNU_SOURCE -I. -I$build -I/usr/include/lua5.4
	    -DSONDE_VERSION=\"0\" -DSONDE_DATADIR=\"\" -DSONDE_SYSCONFDIR=\"\"
	    -DSONDE_LIBEXECDIR=\"\""
	printf '%s\n' "${sources[@]}" | FLAGS=$flags xargs -P "$(nproc)" -n 1 \
		sh -c 'exec clang-tidy --quiet "$0" -- $FLAGS 2>/dev/null'
}

# Not the tests: it would tear octets apart that stand in columns.
format() {
	clang-format --dry-run -Werror "${sources[@]}" "${headers[@]}"
}

check_with_cppcheck() {
	cppcheck --quiet --std=c11 --enable=warning,performance,portability \
		--inline-suppr --error-exitcode=1 -I. -j "$(nproc)" \
		--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
		"${sources[@]}"
}

# Under -fanalyzer every finding is an error, in a build folder of its own.
analyze() {
	make -s -j"$(nproc)" O="$build-analyze" CFLAGS='-O1 -fanalyzer -Werror' \
		all
}

manual() {
	local found
	found=$(mandoc -T lint -W warning man/*.[1-8])
	printf '%s\n' "$found"
	[ -z "$found" ]
}

shells() {
	local scripts
	mapfile -t scripts < <(git ls-files '*.sh'; echo .ci/run)
	# Below a warning it guesses: functions that `check` calls by name look
	# unreachable to it, numbers look unquoted.
	LC_ALL=C.UTF-8 shellcheck -x -S warning "${scripts[@]}"
}

sizes() {
	local found
	found=$(printf '%s\n' "${sources[@]}" "${tested[@]}" | xargs ctags -x \
		--_xformat='%{line} %{end} %{input} %N' --c-kinds=f --fields=+e |
		awk '$2 - $1 >= 80 {print $3 ": " $4 " has " $2 - $1 + 1 " lines"}')
	printf '%s\n' "$found"
	[ -z "$found" ]
}

whitespace() {
	! git grep -nIE '[[:blank:]]+$' -- '*.c' '*.h' '*.lua' '*.sh' '*.py' \
		'*.js' '*.css' '*.md' Makefile '*.mk' ':!tests/corpus'
}

mkdir -p "$build"
make -s -j"$(nproc)" O="$build" all || exit 1
judge clang-format clang-format format
judge clang-tidy clang-tidy tidy
judge cppcheck cppcheck check_with_cppcheck
judge analyzer gcc analyze
judge mandoc mandoc manual
judge shellcheck shellcheck shells
judge function-size ctags sizes
judge whitespace git whitespace
exit $status
