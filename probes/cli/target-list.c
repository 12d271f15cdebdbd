/* SPDX-License-Identifier: ISC */
/*
 * A file of targets, read in pieces and never longer than one buffer: editors
 * leave byte order marks and carriage returns, people leave comments, and one
 * bad line must cost that line only.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/xalloc.h"
#include "probes/cli/target-list.h"

#define BLANKS " \t\r\v\f"

int target_list_open(struct target_list *list, const char *const *words,
    size_t word_count, const char *path, struct errmsg *msg)
{
	*list = (struct target_list){
		.words = words, .word_count = word_count, .fd = -1
	};
	if (!path)
		return 0;
	bool standard = strcmp(path, "-") == 0;
	list->path = standard ? "standard input" : path;
	list->fd = standard ? 0 : open(path, O_RDONLY | O_CLOEXEC);
	struct stat found;
	if (list->fd < 0)
		return err_set(
		    msg, -errno, "%.180s: %s", path, strerror(errno));
	if (fstat(list->fd, &found) == 0 && S_ISDIR(found.st_mode)) {
		target_list_close(list);
		return err_set(msg, -EISDIR,
		    "%.180s: expected a file, got a "
		    "directory",
		    list->path);
	}
	list->buffer = xmalloc(TARGET_BUFFER_BYTES);
	return 0;
}

void target_list_close(struct target_list *list)
{
	if (list->fd > 0)
		close(list->fd);
	free(list->buffer);
	list->buffer = NULL;
	list->fd = -1;
}

void target_list_where(
    const struct target_list *list, uint64_t line, char to[static 200])
{
	to[0] = '\0';
	if (line)
		snprintf(to, 200, "%.160s:%llu: ", list->path,
		    (unsigned long long)line);
}

static enum target_step bad_target(
    const struct target_list *list, struct errmsg *msg, const char *what)
{
	char where[200];
	target_list_where(list, list->line, where);
	err_set(msg, ERR_MALFORMED, "%.160s%.90s", where, what);
	return TARGET_BAD;
}

/* More of the file; false: nothing is there within ms. */
static bool read_more(struct target_list *list, int ms)
{
	if (list->at > 0) {
		memmove(list->buffer, list->buffer + list->at,
		    list->len - list->at);
		list->len -= list->at;
		list->at = 0;
	}
	struct pollfd p = { .fd = list->fd, .events = POLLIN };
	if (list->len == TARGET_BUFFER_BYTES || poll(&p, 1, ms) <= 0)
		return false;
	ssize_t n = read(list->fd, list->buffer + list->len,
	    TARGET_BUFFER_BYTES - list->len);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	list->at_end = n <= 0;
	list->len += n > 0 ? (size_t)n : 0;
	return true;
}

/* One line of the buffer, without its end; NULL: it is not there yet. */
static char *take_line(struct target_list *list, size_t *len)
{
	char *line = list->buffer + list->at;
	size_t there = list->len - list->at;
	char *end = there ? memchr(line, '\n', there) : NULL;
	if (!end && (!list->at_end || there == 0))
		return NULL;
	*len = end ? (size_t)(end - line) : there;
	list->at += *len + (end != NULL);
	list->line++;
	return line;
}

/* The first word of a line; "": there is none. */
static enum target_step line_word(const struct target_list *list,
    const char *line, size_t len, char word[static TARGET_WORD_MAX],
    struct errmsg *msg)
{
	static const char utf16[][3] = { "\xff\xfe", "\xfe\xff" };
	if (list->line == 1 && len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0)
		line += 3, len -= 3;
	if (list->line == 1 && len >= 2 &&
	    (memcmp(line, utf16[0], 2) == 0 || memcmp(line, utf16[1], 2) == 0))
		return bad_target(list, msg, "expected UTF-8, got UTF-16");
	while (len > 0 && strchr(BLANKS, *line) && *line)
		line++, len--;
	size_t n = 0;
	while (n < len && !strchr(BLANKS "#", line[n]))
		n++; /* strchr finds the NUL of its string too */
	if (n < len && line[n] == '\0')
		return bad_target(list, msg, "expected text, got an octet 0");
	if (n >= TARGET_WORD_MAX)
		return bad_target(list, msg,
		    "expected a host of at most 255 octets, got a longer word");
	memcpy(word, line, n);
	word[n] = '\0';
	return TARGET_READY;
}

/* The next word of the file. */
static enum target_step file_word(struct target_list *list,
    char word[static TARGET_WORD_MAX], struct errmsg *msg)
{
	for (;;) {
		size_t len;
		char *line = take_line(list, &len);
		if (line && list->skipping) {
			list->skipping = false; /* the rest of a long one */
			list->line--;
			continue;
		}
		if (line) {
			enum target_step step =
			    line_word(list, line, len, word, msg);
			if (step == TARGET_READY && !*word)
				continue;
			return step;
		}
		if (list->at_end)
			return TARGET_END;
		if (list->at == 0 && list->len == TARGET_BUFFER_BYTES) {
			bool again = list->skipping;
			list->len = 0;
			list->skipping = true;
			if (again) /* it may have no end */
				return TARGET_LATER;
			list->line++;
			return bad_target(
			    list, msg, "expected a line of less than 64 KiB");
		}
		if (!read_more(list, 0) && list->len < TARGET_BUFFER_BYTES)
			return TARGET_LATER;
		if (list->at_end && list->len == 0)
			return TARGET_END;
	}
}

/* Begins the range that this word is. */
static enum target_step begin_range(
    struct target_list *list, const char *word, struct errmsg *msg)
{
	struct prefix prefix;
	struct errmsg why;
	char text[256];
	if (prefix_parse(&prefix, word, &why) != 0)
		return bad_target(list, msg, why.text);
	unsigned bits = addr_bits(&prefix.addr) - prefix.len;
	if (bits >= 64 || UINT64_C(1) << bits > TARGET_RANGE_MAX) {
		snprintf(text, sizeof(text),
		    "%.60s: expected a range of at most %llu addresses, got "
		    "2^%u",
		    word, (unsigned long long)TARGET_RANGE_MAX, bits);
		return bad_target(list, msg, text);
	}
	list->range_count = list->left = UINT64_C(1) << bits;
	list->next = prefix.addr;
	return TARGET_READY;
}

static void next_of_range(
    struct target_list *list, char word[static TARGET_WORD_MAX])
{
	struct addr *a = &list->next;
	addr_text(a, word);
	list->left--;
	for (int i = (a->family == 4 ? 4 : 16) - 1; i >= 0; i--)
		if (++a->bytes[i] != 0)
			break;
}

enum target_step target_list_next(struct target_list *list,
    char word[static TARGET_WORD_MAX], struct errmsg *msg)
{
	enum target_step step = TARGET_READY;
	list->range_count = 0;
	if (list->left == 0) {
		if (list->word_at < list->word_count) {
			const char *given = list->words[list->word_at++];
			if (strlen(given) >= TARGET_WORD_MAX)
				return bad_target(list, msg,
				    "expected a host of at most 255 octets");
			memcpy(word, given, strlen(given) + 1);
		} else if (list->fd >= 0) {
			step = file_word(list, word, msg);
		} else {
			step = TARGET_END;
		}
		if (step == TARGET_READY && strchr(word, '/'))
			step = begin_range(list, word, msg);
	}
	if (step == TARGET_READY && list->left > 0)
		next_of_range(list, word);
	return step;
}

size_t target_list_count(struct target_list *list, size_t most, int ms)
{
	struct monotime end =
	    monotime_add(monotime_now(), (int64_t)ms * NS_PER_MS);
	while (
	    list->fd >= 0 && !list->at_end && list->len < TARGET_BUFFER_BYTES) {
		int64_t left_ms = ms < 0
		    ? -1
		    : monotime_diff(end, monotime_now()) / NS_PER_MS;
		if (ms >= 0 && left_ms < 0)
			break;
		if (!read_more(list, (int)left_ms) && ms >= 0)
			break;
	}
	struct target_list copy = *list;
	char word[TARGET_WORD_MAX];
	size_t count = 0;
	if (list->fd >= 0 && !list->at_end)
		return 0;
	for (enum target_step step; count <= most; count += step != TARGET_BAD)
		if ((step = target_list_next(&copy, word, NULL)) == TARGET_END)
			break;
	return count <= most ? count : 0;
}
