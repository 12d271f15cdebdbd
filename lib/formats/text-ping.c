/* SPDX-License-Identifier: ISC */
/*
 * A ping: one line for one probe, so that a list of hosts is a list; else a
 * line for each reply and a summary.  Lines may be printed while the ping runs;
 * then its record brings what is missing: late duplicates and the summary.
 */
#include "lib/base/clock.h"
#include "lib/formats/text.h"

#define TARGET_WIDTH 24

static void print_warning(const struct text *t, const char *words)
{
	fprintf(t->to, "  %s%s%s", text_on(t, TEXT_WARN), words, text_off(t));
}

/* Who said no, and how. */
static void print_error(const struct text *t, const Sonde__Reply *reply)
{
	char a[ADDR_TEXT_LEN], words[40];
	fprintf(t->to, "  %s%s, from %s%s", text_on(t, TEXT_WARN),
	    reply_error(reply, words), reply_addr(&reply->from, a),
	    text_off(t));
	if (reply->has_mtu_case)
		fprintf(t->to, "  mtu %u", reply->mtu);
}

static void print_answer(const struct text *t, const Sonde__Reply *reply)
{
	if (reply->has_rtt_ns_case)
		fprintf(t->to, "%10.3f ms", (double)reply->rtt_ns / NS_PER_MS);
	if (reply->has_reply_ttl_case)
		fprintf(t->to, "  ttl %u", reply->reply_ttl);
	if (reply->has_from_port_case)
		fprintf(t->to, "  port %u", reply->from_port);
}

static void print_reply(
    const struct text *t, const Sonde__Ping *ping, const Sonde__Reply *reply)
{
	char a[ADDR_TEXT_LEN];
	switch (reply_outcome(reply, &ping->dst, ping->method)) {
	case SONDE__OUTCOME__OUTCOME_ANSWERED: print_answer(t, reply); break;
	case SONDE__OUTCOME__OUTCOME_LATE:
		print_answer(t, reply);
		print_warning(t, "late");
		break;
	case SONDE__OUTCOME__OUTCOME_OTHER_ADDRESS:
		print_answer(t, reply);
		fprintf(t->to, "  %sfrom another address, %s%s",
		    text_on(t, TEXT_WARN), reply_addr(&reply->from, a),
		    text_off(t));
		break;
	case SONDE__OUTCOME__OUTCOME_HOP:
	case SONDE__OUTCOME__OUTCOME_REJECTED:
		print_answer(t, reply);
		print_error(t, reply);
		break;
	case SONDE__OUTCOME__OUTCOME_NOT_SENT:
	case SONDE__OUTCOME__OUTCOME_DENIED: text_not_sent(t, reply); break;
	case SONDE__OUTCOME__OUTCOME_AMBIGUOUS:
		print_warning(t, "a reply that may be another probe's");
		break;
	default:
		fprintf(t->to, "  %s%8s%s", text_on(t, TEXT_WARN), "no reply",
		    text_off(t));
	}
	if (reply->duplicate)
		fputs("  duplicate", t->to);
	if (reply->late && reply->outcome != SONDE__OUTCOME__OUTCOME_LATE)
		print_warning(t, "late");
	if (reply->perhaps_firewall)
		print_warning(t, "perhaps of a firewall");
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

static void print_some(const struct text *t, uint32_t count, const char *what)
{
	if (count > 0)
		fprintf(t->to, ", %s%u %s%s", text_on(t, TEXT_WARN), count,
		    what, text_off(t));
}

/* Known only when all replies are. */
static uint32_t count_firewalls(const Sonde__Ping *ping)
{
	uint32_t count = 0;
	for (size_t i = 0; i < ping->n_replies; i++)
		count += (uint32_t)(ping->replies[i]->perhaps_firewall != 0);
	return count;
}

/* What the target did not answer within the wait is lost, whatever else came;
 * but not what may have been answered. */
static void print_summary(const struct text *t, const Sonde__Ping *ping)
{
	uint32_t answered =
	    ping->received + ping->other_address + ping->ambiguous;
	double lost = ping->sent && answered < ping->sent
	    ? 100.0 * (ping->sent - answered) / ping->sent
	    : 0;
	fprintf(t->to, "%u sent, %u received", ping->sent, ping->received);
	if (ping->sent)
		fprintf(t->to, ", %s%.0f %% lost%s",
		    text_on(t, lost > 0 ? TEXT_WARN : TEXT_GOOD), lost,
		    text_off(t));
	print_some(t, ping->late, "late");
	print_some(t, ping->rejected, "rejected");
	print_some(t, ping->other_address, "from another address");
	print_some(t, ping->ambiguous, "ambiguous");
	print_some(t, count_firewalls(ping), "perhaps of a firewall");
	print_some(t, ping->denied, "denied");
	print_some(t, ping->not_sent, "not sent");
	print_some(t, ping->replies_left_out, "not in the record");
	if (*ping->error) {
		fputs(" (", t->to);
		text_print(t, ping->error);
		putc(')', t->to);
	}
	if (ping->received && ping->has_rtt_avg_ns_case)
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
	if (ping->replies[0]->attempt > t->shown_attempt)
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
