/* SPDX-License-Identifier: ISC */
/* Query strings: split, decode, check names and values against the rows that
 * the route takes. */

#include "web/http/params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/xalloc.h"

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

/* The length of a valid sequence at text, 0 for none (RFC 3629 section 4). */
static size_t utf8_sequence(const unsigned char *s, size_t left)
{
	if (s[0] < 0x80)
		return 1;
	size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || left < len)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	bool bad = (s[0] == 0xe0 && s[1] < 0xa0) ||
	    (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f);
	return bad ? 0 : len;
}

bool utf8_is_valid(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	for (size_t i = 0; i < len;) {
		size_t n = utf8_sequence(s + i, len - i);
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

int percent_decode(
    char *to, size_t size, const char *text, size_t len, bool plus)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '%') {
			int high = len - i > 2 ? hex_digit(text[i + 1]) : -1;
			int low = high < 0 ? -1 : hex_digit(text[i + 2]);
			if (low < 0 || (high | low) == 0)
				return ERR_MALFORMED;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (plus && c == '+') {
			c = ' ';
		}
		if (n + 1 >= size)
			return ERR_LIMIT;
		to[n++] = c;
	}
	to[n] = 0;
	return 0;
}

const char *params_quote(char to[static PARAMS_QUOTE_LEN], const char *text)
{
	size_t n = 0;
	for (; n < 40 && text[n]; n++) {
		bool plain = text[n] >= ' ' && text[n] <= '~';
		to[n] = '?';
		if (plain)
			to[n] = text[n];
	}
	snprintf(to + n, 8, "%s", text[n] ? "..." : "");
	return to;
}

static const struct param *find_known(
    const struct param *const *known, const char *name)
{
	for (; known && *known; known++)
		if (strcmp((*known)->name, name) == 0)
			return *known;
	return NULL;
}

static int refuse_name(
    const struct param *const *known, const char *name, struct errmsg *msg)
{
	char list[128] = "no parameter", quoted[PARAMS_QUOTE_LEN];
	size_t len = 0;
	for (size_t i = 0; known && known[i]; i++) {
		int n = snprintf(list + len, sizeof(list) - len, "%s%s",
		    i ? ", " : "", known[i]->name);
		if (n < 0 || (size_t)n >= sizeof(list) - len)
			break;
		len += (size_t)n;
	}
	return err_set(msg, ERR_USAGE, "unknown parameter '%s', expected %s",
	    params_quote(quoted, name), list);
}

static bool is_plain_text(const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	return utf8_is_valid(text, strlen(text));
}

static int add_value(struct request_params *params, const char *name,
    const char *text, size_t len, bool plus)
{
	char value[PARAMS_VALUE_MAX + 1];
	int err = percent_decode(value, sizeof(value), text, len, plus);
	if (err != 0)
		return err;
	if (!is_plain_text(value))
		return ERR_MALFORMED;
	if (params->count == PARAMS_MAX)
		return ERR_LIMIT;
	params->names[params->count] = xstrdup(name);
	params->values[params->count++] = xstrdup(value);
	return 0;
}

int params_add_segment(struct request_params *params, const char *name,
    size_t name_len, const char *segment, size_t segment_len)
{
	char *copy = xstrndup(name, name_len);
	int err = add_value(params, copy, segment, segment_len, false);
	free(copy);
	return err;
}

/* One "name=value". */
static int parse_pair(struct request_params *params,
    const struct param *const *known, const char *pair, size_t len,
    struct errmsg *msg)
{
	char text[64];
	const char *equals = memchr(pair, '=', len);
	size_t name_len = equals ? (size_t)(equals - pair) : len;
	if (percent_decode(text, sizeof(text), pair, name_len, true) != 0)
		return err_set(msg, ERR_USAGE,
		    "a parameter's name is not well encoded or too long");
	const struct param *param = find_known(known, text);
	if (!param)
		return refuse_name(known, text, msg);
	if (params_get(params, param->name))
		return err_set(msg, ERR_USAGE, "parameter '%s' is given twice",
		    param->name);
	size_t skip = name_len + (equals != NULL);
	int err = add_value(params, param->name, pair + skip, len - skip, true);
	if (err != 0)
		return err_set(msg, ERR_USAGE,
		    err == ERR_LIMIT
			? "parameter '%s': too long"
			: "parameter '%s': expected percent-encoded UTF-8 "
			  "without control characters",
		    param->name);
	const char *value = params->values[params->count - 1];
	return *value ? param_check(param, value, walltime_now().ns, msg) : 0;
}

int params_parse(struct request_params *params,
    const struct param *const *known, const char *text, struct errmsg *msg)
{
	while (text && *text) {
		size_t len = strcspn(text, "&");
		int err = len ? parse_pair(params, known, text, len, msg) : 0;
		if (err != 0)
			return err;
		text += len + (text[len] == '&');
	}
	return 0;
}

const char *params_get(const struct request_params *params, const char *name)
{
	for (size_t i = 0; i < params->count; i++)
		if (strcmp(params->names[i], name) == 0)
			return params->values[i];
	return NULL;
}

void params_fini(struct request_params *params)
{
	for (size_t i = 0; i < params->count; i++) {
		free(params->names[i]);
		free(params->values[i]);
	}
	params->count = 0;
}
