/* SPDX-License-Identifier: ISC */
/* Values of parameters: each is parsed whole or refused with what was
 * expected. */

#include "lib/option/param.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/option/option.h"

static int refuse_value(const struct param *param, const char *text,
    const char *expected, struct errmsg *msg)
{
	enum { QUOTED = 40 };
	char quoted[QUOTED + 4];
	size_t n = 0;
	for (; n < QUOTED && text[n]; n++) {
		quoted[n] = '?';
		if (text[n] >= ' ' && text[n] <= '~')
			quoted[n] = text[n];
	}
	snprintf(quoted + n, sizeof(quoted) - n, "%s", text[n] ? "..." : "");
	return err_set(msg, ERR_USAGE, "parameter '%s': expected %s, got '%s'",
	    param->name, expected, quoted);
}

int param_integer(const struct param *param, const char *text, int64_t *value,
    struct errmsg *msg)
{
	char expected[96], *end;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	bool digits = (*text >= '0' && *text <= '9') || *text == '-';
	if (digits && !errno && *end == '\0' && n >= param->min &&
	    n <= param->max) {
		*value = n;
		return ERR_OK;
	}
	if (param->max == INT64_MAX)
		snprintf(expected, sizeof(expected),
		    "a whole number, at least %" PRId64, param->min);
	else
		snprintf(expected, sizeof(expected),
		    "a whole number from %" PRId64 " to %" PRId64, param->min,
		    param->max);
	return refuse_value(param, text, expected, msg);
}

int param_time(const struct param *param, const char *text, int64_t now_ns,
    int64_t *ns, struct errmsg *msg)
{
	static const char expected[] =
	    "a time (RFC 3339), 'now' or a distance back as '-1h'";
	struct walltime at;
	int64_t ago;
	if (strcmp(text, "now") == 0) {
		*ns = now_ns;
	} else if (*text == '-') {
		if (option_parse_duration(&ago, text + 1, NULL) < 0 ||
		    ago < 0 || ago > now_ns)
			return refuse_value(param, text, expected, msg);
		*ns = now_ns - ago;
	} else {
		if (walltime_parse(&at, text) < 0 || at.ns < 0)
			return refuse_value(param, text, expected, msg);
		*ns = at.ns;
	}
	return ERR_OK;
}

int param_addr(const struct param *param, const char *text, struct addr *addr,
    struct errmsg *msg)
{
	if (addr_parse(addr, text) == 0)
		return ERR_OK;
	return refuse_value(param, text, "an IPv4 or IPv6 address", msg);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int param_id(const struct param *param, const char *text, uint8_t id[16],
    struct errmsg *msg)
{
	bool good = strlen(text) == 32;
	for (size_t i = 0; good && i < 16; i++) {
		int high = hex_digit(text[2 * i]);
		int low = hex_digit(text[2 * i + 1]);
		good = high >= 0 && low >= 0;
		if (good)
			id[i] = (uint8_t)(high << 4 | low);
	}
	return good ? ERR_OK : refuse_value(param, text, "32 hex digits", msg);
}

static int check_hex(
    const struct param *param, const char *text, struct errmsg *msg)
{
	char expected[32];
	size_t digits = 0;
	while (hex_digit(text[digits]) >= 0)
		digits++;
	if (text[digits] == '\0' && digits == (size_t)param->max)
		return ERR_OK;
	snprintf(
	    expected, sizeof(expected), "%" PRId64 " hex digits", param->max);
	return refuse_value(param, text, expected, msg);
}

/* Bit of the word of len bytes; 0: it is none. */
static uint64_t find_word(
    const struct param *param, const char *word, size_t len)
{
	for (unsigned i = 0; param->words[i]; i++)
		if (strlen(param->words[i]) == len &&
		    memcmp(param->words[i], word, len) == 0)
			return UINT64_C(1) << i;
	return 0;
}

static int refuse_word(
    const struct param *param, const char *text, struct errmsg *msg)
{
	char expected[160];
	size_t len = (size_t)snprintf(expected, sizeof(expected), "%s ",
	    param->type == PARAM_WORD ? "one of" : "some of");
	for (unsigned i = 0; param->words[i] && len < sizeof(expected); i++)
		len += (size_t)snprintf(expected + len, sizeof(expected) - len,
		    "%s%s", i > 0 ? "," : "", param->words[i]);
	return refuse_value(param, text, expected, msg);
}

int param_words(const struct param *param, const char *text, uint64_t *set,
    struct errmsg *msg)
{
	uint64_t found = 0;
	for (const char *word = text; *word;) {
		size_t len = param->type == PARAM_WORD ? strlen(word)
						       : strcspn(word, ",");
		uint64_t bit = find_word(param, word, len);
		if (!bit)
			return refuse_word(param, text, msg);
		found |= bit;
		word += len;
		word += *word == ',';
	}
	if (!found)
		return refuse_word(param, text, msg);
	*set = found;
	return ERR_OK;
}

int param_cursor(const struct param *param, const char *text, int64_t *ns,
    int64_t *row, struct errmsg *msg)
{
	char *end;
	errno = 0;
	long long first = strtoll(text, &end, 10), second = 0;
	if (*end == '_')
		second = strtoll(end + 1, &end, 10);
	if (errno || *end || second < 1)
		return refuse_value(
		    param, text, "one that a page gave as next", msg);
	*ns = first;
	*row = second;
	return ERR_OK;
}

int param_check(const struct param *param, const char *text, int64_t now_ns,
    struct errmsg *msg)
{
	int64_t number, other;
	uint64_t set;
	struct addr addr;
	uint8_t id[16];
	switch (param->type) {
	case PARAM_TEXT: return ERR_OK;
	case PARAM_INTEGER: return param_integer(param, text, &number, msg);
	case PARAM_TIME: return param_time(param, text, now_ns, &number, msg);
	case PARAM_ADDRESS: return param_addr(param, text, &addr, msg);
	case PARAM_ID: return param_id(param, text, id, msg);
	case PARAM_HEX: return check_hex(param, text, msg);
	case PARAM_WORD:
	case PARAM_WORDS: return param_words(param, text, &set, msg);
	case PARAM_CURSOR:
		return param_cursor(param, text, &number, &other, msg);
	}
	return ERR_OK;
}
