#!/bin/sh
# SPDX-License-Identifier: ISC
# usage: O=FOLDER coverage.sh
# Runs the unit tests and the corpora of a build with --coverage and says which
# lines they reached: a figure for each folder, all lines in HTML.
set -u
command -v gcovr >/dev/null || {
	echo "coverage: gcovr is not installed (make deps-coverage)" >&2
	exit 1
}
find "$O" -name '*.gcda' -delete
# shellcheck disable=SC2046
O=$O tests/unit.sh 1 "$(nproc)" $(cat "$O/tests/unit.list") || exit 1
while read -r program; do
	parser=${program##*/fuzz_}
	"$program" "tests/corpus/$parser" >/dev/null 2>&1 ||
		echo "coverage: $program failed" >&2
done <"$O/tests/fuzz.list"

report=$O/coverage
mkdir -p "$report"
gcovr --root . --object-directory "$O" --exclude 'tests/' --exclude "$O/" \
	--gcov-ignore-parse-errors --csv "$report/lines.csv" \
	--html-details "$report/index.html" "$O" || exit 1
awk -F, '
	NR == 1 {
		for (i = 1; i <= NF; i++)
			column[$i] = i
		next
	}
	{
		folder = $(column["filename"])
		sub(/\/[^\/]*$/, "", folder)
		lines[folder] += $(column["line_total"])
		reached[folder] += $(column["line_covered"])
		all += $(column["line_total"])
		all_reached += $(column["line_covered"])
	}
	END {
		for (f in lines)
			if (lines[f])
				printf "%5.1f %%  %6d lines  %s\n",
					100 * reached[f] / lines[f], lines[f], \
					f | "sort -k4"
		close("sort -k4")
		printf "%5.1f %%  %6d lines  all\n",
			100 * all_reached / all, all
	}' "$report/lines.csv"
echo "each line: $report/index.html"
