#!/bin/sh
# SPDX-License-Identifier: ISC
# What is promised about the one program from which packets leave: it is small,
# and no text is read in it.  Counted are all lines of its .c files and, of its
# headers, those that are neither blank nor comment.
# shellcheck disable=SC2317 # functions that check calls
# shellcheck source=tests/tap.sh
. tests/tap.sh
folder=${GUARDIAN:-probes/guardian}
limit=1500

code_of_headers() {
	cat "$folder"/*.h | awk '
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

lines() {
	echo $(($(cat "$folder"/*.c | wc -l) + $(code_of_headers)))
}

is_small() {
	echo "# $(lines) of $limit"
	[ "$(lines)" -le "$limit" ]
}

reads_no_text() {
	! grep -nE '\b((f|s)?scanf|strto[a-z]+|ato[il]l?|strtok|strchr|strstr|getline|fgets|addr_parse|prefix_parse|pcap_compile) *\(|#include "(lib/option/|probes/policy/policy-file)' \
		"$folder"/*.[ch]
}

opens_nothing() {
	! grep -nE '\b(f?open(at)?|socket|connect|bind|listen|accept4?|exec[lv]p?e?|p?fork|getaddrinfo) *\(' \
		"$folder"/*.[ch]
}

check "the guardian is at most $limit lines" is_small
check "the guardian reads no text" reads_no_text
check "the guardian opens no file, socket or program" opens_nothing
done_testing
