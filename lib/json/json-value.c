/* SPDX-License-Identifier: ISC */
/* Small values as JSON: times, addresses, ids, counts, text from outside. */
#include <stdlib.h>
#include <string.h>

#include "lib/json/json-value.h"
#include "lib/base/clock.h"
#include "lib/base/xalloc.h"

json_t *json_hex(const void *bytes, size_t len)
{
	char *text = xmalloc(2 * len + 1);
	json_t *json = json_stringn(hex_text(bytes, len, text), 2 * len);
	free(text);
	return json;
}

json_t *json_time(int64_t ns)
{
	char text[WALLTIME_TEXT_LEN];
	if (ns == 0)
		return json_null();
	return json_string(walltime_text((struct walltime){ ns }, text));
}

json_t *json_addr(const struct addr *addr)
{
	char text[ADDR_TEXT_LEN];
	if (addr->family == 0)
		return json_null();
	return json_string(addr_text(addr, text));
}

json_t *json_text(const char *text)
{
	if (!text || !*text)
		return json_null();
	json_t *json = json_string(text);
	if (json)
		return json;
	char *plain = xstrdup(text);
	for (char *c = plain; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	json = json_string(plain);
	free(plain);
	return json;
}

json_t *json_words(const char *words)
{
	json_t *list = json_array();
	while (words && *words) {
		size_t len = strcspn(words, ",");
		json_array_append_new(list, json_stringn(words, len));
		words += len + (words[len] == ',');
	}
	return list;
}

json_t *json_count(int64_t n)
{
	return n < 0 ? json_null() : json_integer(n);
}

bool name_is_plain(const char *name, size_t most)
{
	if (!name || !*name || strlen(name) > most)
		return false;
	return name[strspn(name,
		   "abcdefghijklmnopqrstuvwxyz"
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

int json_only(const json_t *body, const char *const *known, struct errmsg *msg)
{
	const char *key;
	json_t *value;
	if (!json_is_object(body))
		return err_set(msg, ERR_USAGE, "body: expected a JSON object");
	json_object_foreach((json_t *)body, key, value)
	{
		const char *const *name = known;
		while (*name && strcmp(*name, key) != 0)
			name++;
		if (!*name)
			return err_set(
			    msg, ERR_USAGE, "%.40s: no such member", key);
	}
	return ERR_OK;
}

int json_names(json_t **names, const json_t *body, const char *member,
    size_t most, struct errmsg *msg)
{
	const json_t *list = json_object_get(body, member);
	if (list && !json_is_null(list) && !json_is_array(list))
		return err_set(msg, ERR_USAGE, "%s: expected a list", member);
	if (json_array_size(list) > most)
		return err_set(msg, ERR_USAGE,
		    "%s: expected at most %zu, got %zu", member, most,
		    json_array_size(list));
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!name_is_plain(
			json_string_value(json_array_get(list, i)), 64))
			return err_set(msg, ERR_USAGE,
			    "%s: expected names of letters, digits, "
			    "\".\", \"_\", \"-\"",
			    member);
	*names = json_is_array(list) ? json_deep_copy(list) : json_array();
	return ERR_OK;
}
