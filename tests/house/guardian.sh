#!/bin/sh
# SPDX-License-Identifier: ISC
# What is promised about the one program from which packets leave: it is small,
# and no text is read in it; and about the policy that it asks: it is small, and
# a function of its arguments.  Counted are all lines of the .c files and, of
# headers, those that are neither blank nor comment.
# shellcheck disable=SC2317 # functions that check calls
# shellcheck source=tests/tap.sh
. tests/tap.sh
folder=${GUARDIAN:-probes/guardian}
limit=1000
policy=probes/policy
policy_limit=800

code_of_headers() { # folder
	cat "$1"/*.h | awk '
		{ line = $0; code = "" }
		{
			while (line != "") {
				if (inside) {
					end = index(line, "*/")
					if (!end) break
					line = substr(line, end + 2)
					inside = 0
				} else if ((at = index(line, "/*"))) {
					code = code substr(line, 1, at - 1)
					line = substr(line, at + 2)
					inside = 1
				} else {
					code = code line
					break
				}
			}
		}
		code ~ /[^ \t]/ { count++ }
		END { print count + 0 }'
}

lines() { # folder
	echo $(($(cat "$1"/*.c | wc -l) + $(code_of_headers "$1")))
}

is_small() { # folder, limit
	echo "# $(lines "$1") of $2"
	[ "$(lines "$1")" -le "$2" ]
}

reads_no_text() {
	! grep -nE '\b((f|s)?scanf|strto[a-z]+|ato[il]l?|strtok|strchr|strstr|getline|fgets|addr_parse|prefix_parse|pcap_compile) *\(|#include "(lib/option/|probes/policy/policy-file)' \
		"$folder"/*.[ch]
}

opens_nothing() {
	! grep -nE '\b(f?open(at)?|socket|connect|bind|listen|accept4?|exec[lv]p?e?|p?fork|getaddrinfo) *\(' \
		"$folder"/*.[ch]
}

asks_no_one() {
	! grep -nE '\b(monotime_now|walltime_now|clock_gettime|getrandom|random|getenv|read|write|f?open(at)?|socket|send|recv|getaddrinfo) *\(' \
		"$policy"/*.[ch]
}

check "the guardian is at most $limit lines" is_small "$folder" "$limit"
check "the guardian reads no text" reads_no_text
check "the guardian opens no file, socket or program" opens_nothing
check "the policy is at most $policy_limit lines" \
	is_small "$policy" "$policy_limit"
check "the policy asks no clock, no chance, no file and no socket" asks_no_one
done_testing
