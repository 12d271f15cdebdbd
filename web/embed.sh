#!/bin/sh
# SPDX-License-Identifier: ISC
# usage: embed.sh TABLE OUT FILE...
# Writes OUT.S, which holds the files' bytes, and OUT.c with the table
# assets_TABLE (web/http/assets.h) over them.  A file that gzip makes smaller by a
# tenth is there packed too.  The same files give the same bytes.
set -eu
table=$1
out=$2
shift 2
mkdir -p "$(dirname "$out")"
exec 3>"$out.S.tmp" 4>"$out.c.tmp"

printf '\t.section .rodata\n' >&3
printf '#include "web/http/assets.h"\n' >&4
put() { # symbol, file: puts the bytes into the program
	printf '\t.globl %s\n\t.balign 16\n%s:\n\t.incbin "%s"\n' \
		"$1" "$1" "$2" >&3
	printf 'extern const unsigned char %s[];\n' "$1" >&4
}

rows=
index=0
for file; do
	symbol=asset_${table}_$index
	index=$((index + 1))
	len=$(wc -c <"$file")
	hash=$(sha256sum "$file" | cut -c 1-32)
	packed=$out-$index.gz
	gzip -9 -n -c "$file" >"$packed"
	packed_len=$(wc -c <"$packed")
	put "$symbol" "$file"
	row="{\"${file##*/}\", $symbol, $len"
	if [ $((packed_len * 10)) -lt $((len * 9)) ]; then
		put "${symbol}_gz" "$packed"
		row="$row, ${symbol}_gz, $packed_len"
	else
		rm -f "$packed"
		row="$row, 0, 0"
	fi
	rows="$rows	$row, \"\\\"$hash\\\"\", \"\\\"$hash-gz\\\"\"},
"
done
printf '\t.section .note.GNU-stack,"",@progbits\n' >&3
printf 'const struct asset assets_%s[] = {\n%s\t{0},\n};\n' \
	"$table" "$rows" >&4
mv "$out.S.tmp" "$out.S"
mv "$out.c.tmp" "$out.c"
