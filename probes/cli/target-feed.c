/* SPDX-License-Identifier: ISC */
/*
 * The worker's socket is the only bound that is needed: what it does not take
 * is not read.  Only names wait elsewhere, in the resolver, so that one that
 * is not answered holds up nobody behind it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probes/cli/target-feed.h"
#include "probes/script/operands.h"

#define WORDS_MAX_BYTES 16384 /* that wait for the worker */
#define REPORTS_MAX 20        /* of failures, one by one */

static void report_failure(
    struct target_feed *f, uint64_t line, const struct errmsg *msg)
{
	char where[200];
	f->failed++;
	target_list_where(&f->list, line, where);
	if (f->failed <= REPORTS_MAX)
		fprintf(
		    stderr, "sonde %s: %s%s\n", f->program, where, msg->text);
	if (f->failed == REPORTS_MAX)
		fprintf(stderr, "sonde %s: further ones are only counted\n",
		    f->program);
}

/* zone is empty, or of a link-local address. */
static void give_word(struct target_feed *f, const struct addr *a,
    const char *zone, const char *name)
{
	char text[ADDR_TEXT_LEN];
	size_t from = f->words.len;
	addr_text(a, text);
	buf_bytes(&f->words, text, strlen(text));
	if (*zone)
		buf_printf(&f->words, "%%%s", zone);
	if (name) {
		buf_u8(&f->words, '=');
		buf_bytes(&f->words, name, strlen(name));
	}
	buf_u8(&f->words, '\0');
	verbose_print(f->verbose, "host %s", (char *)f->words.data + from);
	f->given++;
}

static void use_answer(struct target_feed *f, struct resolver_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++)
		give_word(f, &answer->addresses[i], "", answer->name);
	if (answer->count > 0)
		return;
	err_prefix(&answer->msg, "%.60s", answer->name);
	report_failure(f, answer->line, &answer->msg);
}

/* A network's own names are known at once. */
static void ask_network(struct target_feed *f, const char *name, uint64_t line)
{
	struct resolver_answer answer = { .line = line };
	snprintf(answer.name, sizeof(answer.name), "%s", name);
	/* The context of the guardian is no longer ours. */
	if (!f->net_ctx && f->net->open(&f->net_ctx, f->spec, &answer.msg) != 0)
		f->net_ctx = NULL;
	else
		resolver_ask_network(f->net, f->net_ctx, &f->choice, &answer);
	use_answer(f, &answer);
}

/* false: the resolver has no room for it. */
static bool take_target(struct target_feed *f, const char *word, uint64_t line)
{
	struct addr a;
	char zone[ADDR_ZONE_LEN];
	struct errmsg msg = { "" };
	if (addr_parse_zone(&a, zone, word) == 0) {
		if (resolver_check_family(&a, f->choice.family, &msg) == 0) {
			give_word(f, &a, zone, NULL);
			return true;
		}
	} else if (resolver_check_name(word, &msg) == 0) {
		if (f->net->resolve) {
			ask_network(f, word, line);
			return true;
		}
		if (!f->resolver)
			f->resolver = resolver_new(&f->choice);
		if (resolver_ask(f->resolver, word, line))
			return true;
		if (resolver_waiting(f->resolver) > 0)
			return false;
		err_set(&msg, -EAGAIN, "no thread can be started to ask");
	}
	err_prefix(&msg, "%.60s", word);
	report_failure(f, line, &msg);
	return true;
}

static bool has_room(const struct target_feed *f)
{
	return f->words.len - f->at < WORDS_MAX_BYTES;
}

static void report_range(const struct target_feed *f)
{
	if (f->list.range_count > 1)
		fprintf(stderr, "sonde %s: a range of %llu addresses\n",
		    f->program, (unsigned long long)f->list.range_count);
}

/* Targets from the list, as long as there is room for them. */
static void read_targets(struct target_feed *f)
{
	struct errmsg msg = { "" };
	while (has_room(f) && !f->read_all) {
		if (!f->held[0]) {
			enum target_step step =
			    target_list_next(&f->list, f->held, &msg);
			if (step == TARGET_LATER)
				return;
			f->read_all = step == TARGET_END;
			if (step == TARGET_BAD)
				report_failure(f, 0, &msg);
			if (step != TARGET_READY) {
				f->held[0] = '\0';
				continue;
			}
			f->held_line = f->list.line;
			report_range(f);
		}
		if (!take_target(f, f->held, f->held_line))
			return;
		f->held[0] = '\0';
	}
}

/* Whole words, one datagram of them; false: not now. */
static bool send_words(struct target_feed *f)
{
	const uint8_t *from = f->words.data + f->at;
	size_t len = f->words.len - f->at;
	if (len > OPERAND_DATAGRAM_BYTES)
		len = OPERAND_DATAGRAM_BYTES;
	while (from[len - 1] != '\0')
		len--;
	ssize_t n = send(f->fd, from, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n == (ssize_t)len) {
		buf_read(&f->words, &f->at, len);
		return true;
	}
	if (n >= 0 || (errno != EAGAIN && errno != EINTR)) {
		close(f->fd);
		f->fd = -1; /* the script has ended before its operands */
	}
	return false;
}

void target_feed_step(struct target_feed *f)
{
	struct resolver_answer *answer;
	bool moved = true;
	while (f->fd >= 0 && moved) {
		while (has_room(f) && f->resolver &&
		    (answer = resolver_take(f->resolver))) {
			use_answer(f, answer);
			free(answer);
		}
		read_targets(f);
		moved = f->words.len > f->at && send_words(f);
	}
	bool done = f->read_all && f->words.len == f->at &&
	    (!f->resolver || resolver_waiting(f->resolver) == 0);
	if (f->fd >= 0 && done) {
		close(f->fd);
		f->fd = -1;
	}
}

void target_feed_wants(
    const struct target_feed *f, struct pollfd p[static TARGET_FEED_FDS])
{
	bool open = f->fd >= 0, has_words = open && f->words.len > f->at;
	bool reads = open && !f->read_all && has_room(f) && !f->held[0];
	bool asks = open && f->resolver && has_room(f);
	p[0] = (struct pollfd){ has_words ? f->fd : -1, POLLOUT, 0 };
	p[1] = (struct pollfd){ reads ? f->list.fd : -1, POLLIN, 0 };
	p[2] =
	    (struct pollfd){ asks ? resolver_fd(f->resolver) : -1, POLLIN, 0 };
}

void target_feed_start(struct target_feed *f, int fd)
{
	f->fd = fd;
	target_feed_step(f);
}

void target_feed_fini(struct target_feed *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	resolver_free(f->resolver);
	f->resolver = NULL;
	if (f->net_ctx)
		f->net->close(f->net_ctx);
	f->net_ctx = NULL;
	target_list_close(&f->list);
	buf_fini(&f->words);
}
