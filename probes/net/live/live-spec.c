/* SPDX-License-Identifier: ISC */
#include "probes/net/live/live-spec.h"

#include <string.h>

#include "lib/option/option-value.h"
#include "lib/option/way.h"

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
	int err = way_read_device(spec->wish.device, value, msg);
	if (err < 0)
		err_prefix(msg, "interface");
	return err;
}

static int read_source(
    struct live_spec *spec, const char *value, struct errmsg *msg)
{
	int err = way_read_source(spec->wish.source, value, msg);
	if (err < 0)
		err_prefix(msg, "source");
	return err;
}

static int read_mark(
    struct live_spec *spec, const char *value, struct errmsg *msg)
{
	int err = way_read_mark(&spec->wish.mark, value, msg);
	if (err < 0)
		err_prefix(msg, "mark");
	return err;
}

static int read_run_mark(
    struct live_spec *spec, const char *value, struct errmsg *msg)
{
	uint32_t mark = 0;
	int err = way_read_mark(&mark, value, msg);
	if (err < 0) {
		err_prefix(msg, "run-mark");
		return err;
	}
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
