/* SPDX-License-Identifier: ISC */
/*
 * A ping: one line for one probe, so that a list of hosts is a list; else a
 * line for each reply and a summary.  Lines may be printed while the ping runs;
 * then its record brings what is missing: late duplicates and the summary.
 */
#include <string.h>

#include "lib/base/clock.h"
#include "lib/formats/text.h"

#define TARGET_WIDTH 24

static bool from_target(const Sonde__Ping *ping, const Sonde__Reply *reply)
{
	return ping->dst.len == reply->from.len &&
	    memcmp(ping->dst.data, reply->from.data, reply->from.len) == 0;
}

/* What is out of the ordinary about an answer. */
static void print_remarks(
    const struct text *t, const Sonde__Ping *ping, const Sonde__Reply *reply)
{
	char a[ADDR_TEXT_LEN];
	bool six = reply->from.len == 16;
	const char *mark = reply_mark(reply, six);
	bool is_port = strcmp(ping->method, "udp") == 0 &&
	    reply->icmp_code == (six ? 4u : 3u);
	fprintf(t->to, "  ttl %u", reply->reply_ttl);
	if (!from_target(ping, reply)) {
		bool expired = reply->icmp_type == (six ? 3u : 11u);
		fprintf(t->to, "  %sfrom %s%s", text_on(t, TEXT_WARN),
		    reply_addr(&reply->from, a), text_off(t));
		if (expired)
			fputs(", which ended the probe's life", t->to);
	}
	if (*mark && !is_port)
		fprintf(t->to, "  %s%s%s", text_on(t, TEXT_WARN), mark,
		    text_off(t));
	if (reply->duplicate)
		fputs("  duplicate", t->to);
	if (reply->late)
		fputs("  late", t->to);
}

static void print_reply(
    const struct text *t, const Sonde__Ping *ping, const Sonde__Reply *reply)
{
	if (reply_not_sent(reply)) {
		text_not_sent(t, reply);
	} else if (reply->from.len == 0) {
		fprintf(t->to, "  %s%8s%s", text_on(t, TEXT_WARN), "no reply",
		    text_off(t));
	} else {
		fprintf(t->to, "%10.3f ms", (double)reply->rtt_ns / NS_PER_MS);
		print_remarks(t, ping, reply);
	}
	putc('\n', t->to);
}

static void print_one(const struct text *t, const Sonde__Ping *ping)
{
	text_stamp(t);
	int columns = text_target(t, &ping->dst, ping->dst_name);
	if (columns < TARGET_WIDTH)
		fprintf(t->to, "%*s", TARGET_WIDTH - columns, "");
	print_reply(t, ping, ping->replies[0]);
}

static void print_summary(const struct text *t, const Sonde__Ping *ping)
{
	double lost = ping->sent && ping->received < ping->sent
	    ? 100.0 * (ping->sent - ping->received) / ping->sent
	    : 0;
	fprintf(t->to, "%u sent, %u received", ping->sent, ping->received);
	if (ping->sent)
		fprintf(t->to, ", %s%.0f %% lost%s",
		    text_on(t, lost > 0 ? TEXT_WARN : TEXT_GOOD), lost,
		    text_off(t));
	if (ping->received)
		fprintf(t->to, ", rtt %.3f / %.3f / %.3f ms (min / avg / max)",
		    (double)ping->rtt_min_ns / NS_PER_MS,
		    (double)ping->rtt_avg_ns / NS_PER_MS,
		    (double)ping->rtt_max_ns / NS_PER_MS);
	putc('\n', t->to);
}

static void print_title(struct text *t, const Sonde__Ping *ping)
{
	text_apart(t);
	text_stamp(t);
	fprintf(t->to, "%sping ", text_on(t, TEXT_BOLD));
	text_target(t, &ping->dst, ping->dst_name);
	fprintf(t->to, "%s\n", text_off(t));
}

static void print_line(
    struct text *t, const Sonde__Ping *ping, const Sonde__Reply *reply)
{
	fprintf(t->to, "%4u", reply->attempt);
	print_reply(t, ping, reply);
}

void text_ping_preview(struct text *t, const Sonde__Ping *ping)
{
	if (ping->n_replies == 0)
		return;
	if (t->shown_attempt == 0)
		print_title(t, ping);
	t->shown_attempt = ping->replies[0]->attempt;
	print_line(t, ping, ping->replies[0]);
	fflush(t->to);
}

void text_ping(struct text *t, const Sonde__Ping *ping)
{
	if (ping->n_replies == 1 && t->shown_attempt == 0) {
		print_one(t, ping);
		return;
	}
	if (t->shown_attempt == 0)
		print_title(t, ping);
	for (size_t i = 0; i < ping->n_replies; i++)
		if (ping->replies[i]->duplicate ||
		    ping->replies[i]->attempt > t->shown_attempt)
			print_line(t, ping, ping->replies[i]);
	t->shown_attempt = 0;
	print_summary(t, ping);
}
