/* SPDX-License-Identifier: ISC */
#include "probes/sensor/message/datagram.h"

bool datagram_has_word(
    const struct datagram *d, size_t offset, const char *words)
{
	for (; *words; words += strlen(words) + 1)
		if (datagram_matches(d, offset, words, strlen(words)))
			return true;
	return false;
}

bool datagram_contains(const struct datagram *d, const char *text, size_t limit)
{
	size_t len = d->len < limit ? d->len : limit;
	return memmem(d->at, len, text, strlen(text)) != NULL;
}

bool datagram_is_text(const struct datagram *d, size_t offset, size_t count)
{
	if (!datagram_has(d, offset, count))
		return false;
	for (size_t i = offset; i < offset + count; i++) {
		uint8_t c = d->at[i];
		if ((c < 0x20 || c > 0x7e) && c != '\r' && c != '\n' &&
		    c != '\t')
			return false;
	}
	return true;
}

int datagram_ber(const struct datagram *d, size_t *offset, size_t *len)
{
	if (!datagram_has(d, *offset, 2))
		return -1;
	int tag = d->at[*offset];
	size_t first = d->at[*offset + 1];
	*offset += 2;
	*len = first;
	if (first < 0x80)
		return tag;
	size_t count = first & 0x7f;
	if (count == 0 || count > 4 || !datagram_has(d, *offset, count))
		return -1;
	*len = 0;
	for (size_t i = 0; i < count; i++)
		*len = *len << 8 | d->at[(*offset)++];
	return tag;
}
