/* SPDX-License-Identifier: ISC */
#include "probes/net/live/live-spec.h"

#include <stdio.h>
#include <string.h>

#include "lib/option/option-value.h"

#define RING_BYTES (4u << 20)
#define WORD_MAX 128

static int read_buffer(
    struct live_spec *spec, const char *value, struct errmsg *msg)
{
	int err = option_parse_size(&spec->ring_bytes, value, msg);
	if (err || spec->ring_bytes < 65536 ||
	    spec->ring_bytes > UINT64_C(1) << 30)
		return err_set(msg, ERR_USAGE,
		    "buffer: expected 64k to 1G, got '%.80s'", value);
	return 0;
}

static int read_device(
    struct live_spec *spec, const char *value, struct errmsg *msg)
{
	size_t len = strlen(value);
	if (len == 0 || len >= sizeof(spec->wish.device) || strchr(value, '/'))
		return err_set(msg, ERR_USAGE,
		    "interface: expected a device's name, got '%.80s'", value);
	memcpy(spec->wish.device, value, len + 1);
	return 0;
}

static int read_source(
    struct live_spec *spec, const char *value, struct errmsg *msg)
{
	struct addr a;
	if (addr_parse(&a, value) != 0)
		return err_set(msg, ERR_USAGE,
		    "source: expected an address of this host, got '%.80s'",
		    value);
	if (spec->wish.source[a.family == 6].family)
		return err_set(msg, ERR_USAGE,
		    "source: expected one of IPv4 and one of IPv6, got a "
		    "second, '%.80s'",
		    value);
	spec->wish.source[a.family == 6] = a;
	return 0;
}

/* Decimal, or hexadecimal as `ip rule` prints it. */
static int read_number(
    uint32_t *to, const char *key, const char *value, struct errmsg *msg)
{
	unsigned long long mark = 0;
	char extra;
	bool hex = strncmp(value, "0x", 2) == 0;
	const char *digits = hex ? value + 2 : value;
	if (*digits == '\0' || strlen(digits) > 10 ||
	    digits[strspn(digits,
		hex ? "0123456789abcdefABCDEF" : "0123456789")] != '\0' ||
	    sscanf(digits, hex ? "%llx%c" : "%llu%c", &mark, &extra) != 1 ||
	    mark > UINT32_MAX)
		return err_set(msg, ERR_USAGE,
		    "%s: expected 0 to 0xffffffff, got '%.80s'", key, value);
	*to = (uint32_t)mark;
	return 0;
}

static int read_mark(
    struct live_spec *spec, const char *value, struct errmsg *msg)
{
	return read_number(&spec->wish.mark, "mark", value, msg);
}

static int read_run_mark(
    struct live_spec *spec, const char *value, struct errmsg *msg)
{
	uint32_t mark = 0;
	int err = read_number(&mark, "run-mark", value, msg);
	if (err < 0)
		return err;
	if (spec->run_mark_count == NET_RUN_MARKS_MAX)
		return err_set(msg, ERR_USAGE, "run-mark: expected at most %d",
		    NET_RUN_MARKS_MAX);
	spec->run_marks[spec->run_mark_count++] = mark;
	return 0;
}

static int read_word(
    struct live_spec *spec, const char *word, struct errmsg *msg)
{
	static const struct {
		const char *key;
		int (*read)(struct live_spec *, const char *, struct errmsg *);
	} keys[] = {
		{ "buffer=", read_buffer },
		{ "interface=", read_device },
		{ "source=", read_source },
		{ "mark=", read_mark },
		{ "run-mark=", read_run_mark },
	};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		size_t len = strlen(keys[i].key);
		if (strncmp(word, keys[i].key, len) == 0)
			return keys[i].read(spec, word + len, msg);
	}
	return err_set(msg, ERR_USAGE,
	    "network: expected live, or live: with buffer=SIZE, "
	    "interface=NAME, source=ADDRESS, mark=N, got '%.80s'",
	    word);
}

int live_spec_read(struct live_spec *spec, const char *text, struct errmsg *msg)
{
	*spec = (struct live_spec){ .ring_bytes = RING_BYTES };
	while (text && *text) {
		char word[WORD_MAX];
		size_t len = strcspn(text, ",");
		if (len >= sizeof(word))
			return err_set(msg, ERR_USAGE,
			    "network: too long a word, '%.40s...'", text);
		memcpy(word, text, len);
		word[len] = '\0';
		int err = read_word(spec, word, msg);
		if (err < 0)
			return err;
		text += len + (text[len] == ',');
	}
	return 0;
}
