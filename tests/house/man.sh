#!/bin/sh
# SPDX-License-Identifier: ISC
# Every program, subcommand and option that --help shows is in a man page, and
# the pages are clean.
. tests/tap.sh
bin=${O:-build}/bin

# The long options that a help text names.
options_of() {
	"$@" --help 2>/dev/null | grep -oE '^ +(-[a-zA-Z], )?--[a-z0-9-]+' |
		grep -oE -- '--[a-z0-9-]+' | sort -u
}

named_in() { # option, page...
	name=$(echo "${1#--}" | sed 's/-/\\\\\?-/g')
	shift
	grep -qE -- "Fl Fl $name( |\$)|Fl Fl $name\b" "$@"
}

page_names_all() { # page, command...
	page=$1
	shift
	status=0
	for option in $(options_of "$@"); do
		[ "$option" = --help ] && continue
		named_in "$option" "$page" || {
			echo "# $page does not name $option of '$*'"
			status=1
		}
	done
	return $status
}

has_options() {
	[ -n "$(options_of "$@")" ]
}

for command in $("$bin/sonde" --help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'); do
	page=man/sonde.1
	[ ! -f "man/sonde-$command.1" ] || page=man/sonde-$command.1
	check "$page names every option of sonde $command" \
		page_names_all "$page" "$bin/sonde" "$command"
	check "sonde(1) names the subcommand $command" \
		grep -qE "^\.(It |Ss )?.*\b$command\b" man/sonde.1
done
for program in sonde-agent sonde-collector; do
	check "$program --help shows options" has_options "$bin/$program"
	check "$program(8) names every option" \
		page_names_all "man/$program.8" "$bin/$program"
done
if command -v mandoc >/dev/null 2>&1; then
	for page in man/*.[1-8]; do
		check "$page is clean" \
			sh -c '! mandoc -T lint -W warning "$1" | grep .' _ "$page"
	done
else
	skip "man pages are clean" "mandoc is not installed"
fi
done_testing
