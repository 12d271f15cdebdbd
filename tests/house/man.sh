#!/bin/sh
# SPDX-License-Identifier: ISC
# Every program, command, script and option that --help shows is in a man page,
# in the section that is about it, and the pages are clean.
# shellcheck disable=SC2317 # functions that check calls
# shellcheck source=tests/tap.sh
. tests/tap.sh
bin=${O:-build}/bin
sonde=$bin/sonde
part=$(mktemp)
trap 'rm -f "$part"' EXIT

# The long options that a help text names.
options_of() { # command...
	"$@" --help 2>/dev/null |
		grep -oE '^ +(-[a-zA-Z0-9], )?--[a-z0-9-]+' |
		grep -oE -- '--[a-z0-9-]+' | sort -u
}

has_options() { # command...
	[ -n "$(options_of "$@")" ]
}

# The text below headings of a page, each up to the next heading.
sections() { # page, heading...
	page=$1
	shift
	for heading in "$@"; do
		awk -v want="$heading" '/^\.S[sh] / {
			title = substr($0, 5) " "
			on = index(title, want " ") == 1
		} on' "$page"
	done
}

text_names_all() { # text, command...
	text=$1
	shift
	has_options "$@" || {
		echo "# '$*' --help shows no options"
		return 1
	}
	status=0
	for option in $(options_of "$@"); do
		[ "$option" = --help ] && continue
		grep -qE -- "Fl Fl ${option#--}( |\$)" "$text" || {
			echo "# the page does not name $option of '$*'"
			status=1
		}
	done
	return $status
}

# What sonde(1) says of a command or script, with the options that it shares.
of_sonde() { # word
	shared=
	case $1 in
	submit | campaigns | runs | records | agents | token)
		shared="Commands that ask a collector" ;;
	esac
	"$sonde" "$1" --help | grep -q -- --deadline &&
		shared="Common options"
	sections man/sonde.1 "sonde $1" ${shared:+"$shared"}
}

words() {
	"$sonde" --help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'
	"$sonde" scripts | sed 's/ .*//'
}

check "sonde --help lists commands" test "$(words | wc -l)" -gt 2
for word in $(words); do
	check "sonde(1) has a section about $word" \
		grep -qE "^\.Ss sonde $word( |\$)" man/sonde.1
	if [ -f "man/sonde-$word.1" ]; then
		cp "man/sonde-$word.1" "$part"
	else
		of_sonde "$word" >"$part"
	fi
	check "the page about $word names its options" \
		text_names_all "$part" "$sonde" "$word"
done
for program in sonde-agent sonde-collector; do
	check "man/$program.conf.5 is there" test -f "man/$program.conf.5"
	check "man/$program.8 is there" test -f "man/$program.8"
	[ -f "man/$program.8" ] || continue
	check "$program(8) names its options" \
		text_names_all "man/$program.8" "$bin/$program"
done
if command -v mandoc >/dev/null 2>&1; then
	for page in man/*.[1-8]; do
		check "$page is clean" sh -c \
			'! mandoc -T lint -W warning "$1" | grep .' _ "$page"
	done
else
	skip "man pages are clean" "mandoc is not installed"
fi
done_testing
