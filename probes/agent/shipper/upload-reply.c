/* SPDX-License-Identifier: ISC */
/* The collector's answer to a batch, as far as it can be believed. */
#include <jansson.h>
#include <string.h>

#include "probes/agent/shipper/upload.h"

#define REPLY_MAX_BYTES (64u << 10)

static void text_member(char *to, size_t size, json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	size_t n = 0;
	for (; text && text[n] && n < size - 1; n++)
		to[n] =
		    (char)(text[n] >= 0x20 && text[n] < 0x7f ? text[n] : '?');
	to[n] = '\0';
}

static bool number_member(uint64_t *to, json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*to = (uint64_t)json_integer_value(value);
	return true;
}

int shipping_parse(struct shipping_reply *reply, const void *body, size_t len,
    struct errmsg *msg)
{
	json_error_t error;
	memset(reply, 0, sizeof(*reply));
	if (len > REPLY_MAX_BYTES)
		return err_set(msg, ERR_LIMIT, "answer: %zu bytes", len);
	json_t *root =
	    json_loadb(body ? body : "", len, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(root)) {
		json_decref(root);
		return err_set(msg, ERR_MALFORMED, "answer: not JSON");
	}
	text_member(reply->result, sizeof(reply->result), root, "result");
	text_member(reply->code, sizeof(reply->code), root, "code");
	text_member(
	    reply->generation, sizeof(reply->generation), root, "generation");
	text_member(reply->server_time, sizeof(reply->server_time), root,
	    "server_time");
	number_member(&reply->epoch, root, "epoch");
	reply->has_next = number_member(&reply->next, root, "next");
	reply->has_expected = number_member(&reply->expected, root, "expected");
	json_decref(root);
	return 0;
}
