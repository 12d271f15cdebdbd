/* SPDX-License-Identifier: ISC */
/* RFC 4180, and what spreadsheets do to those who trust them. */
#include <string.h>

#include "lib/formats/csv-cell.h"

void csv_cell(FILE *to, const char *text)
{
	if (!text)
		return;
	const char *quote = strpbrk(text, ",\"\r\n") ? "\"" : "";
	fputs(quote, to);
	if (*text && strchr("=+-@\t\r", *text))
		putc('\'', to);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', to);
		putc(*text, to);
	}
	fputs(quote, to);
}
