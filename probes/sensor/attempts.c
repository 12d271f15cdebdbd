/* SPDX-License-Identifier: ISC */
/*
 * One packet against the contacts.  A packet A:a to B:b that asks is about the
 * contact (A, B, b), one that answers about (B, A, a); where its content does
 * not say which, it answers if B began, else it is A's own.  An answer takes
 * the attempt back, whichever was seen first: one that comes before its
 * question leaves an entry that the question finds.
 *
 * What a contact that was not answered weighs (odds.h):
 *   two steps   a question, and a datagram of which nothing else is known
 *   one step    a bare ACK or FIN+ACK: a scan, or the rest of a conversation
 *               whose beginning was not captured, in one direction.  It is
 *               taken back when more follows as in a conversation.
 *   none        data in mid-conversation, strays, and datagrams that a
 *               traceroute lets expire on their way
 * What a packet bears of a tool weighs besides (finding.c).  A refusal (RST, an
 * ICMP error about it) makes two steps of less.
 */
#include "lib/base/hash.h"
#include "probes/sensor/table-private.h"

#define WEIGHT_OF_HOME 3     /* begun by a monitored host: no evidence */
#define WEIGHT_COOKIE 1      /* of an answered one: `value` is a cookie */
#define WEIGHT_WAS_REFUSAL 1 /* of CONTACT_UNASKED */
#define WEIGHT_WAS_COOKIE 2  /* of the same: a SYN+ACK, with its cookie */
#define SAME_FLOW (1u << 24) /* octets between two segments of one */
#define KEEPALIVE_LEAST_S 10
#define TRACEROUTE_PORT 33434
#define TRACEROUTE_PORTS 256
#define TRACEROUTE_NEAR 3
#define TRACEROUTE_TTL 32
#define TRACEROUTE_HIGH_PORT 33000 /* from here on mtr counts its probes */
#define TRACEROUTE_TRIES 3         /* for each TTL */

static uint16_t short_id(uint32_t id)
{
	return (uint16_t)(id * HASH_GOLDEN_32 >> 16);
}

/* ---- evidence of the source ---- */

/* Its clock only goes forward: a packet from before counts for now. */
static void advance_source(struct source *s, uint32_t now_s)
{
	uint32_t passed = now_s - s->last_s;
	if ((int32_t)passed <= 0)
		return;
	for (uint32_t i = 1; i <= passed && i <= YOUNG_S; i++)
		s->young[(s->last_s + i) % YOUNG_S] = 0;
	s->last_s = now_s;
}

/* Where the steps of a contact that began at this second are, or NULL: it is
 * young no more. */
static uint16_t *young_at(struct source *s, uint16_t at_s)
{
	uint16_t age = (uint16_t)((uint16_t)s->last_s - at_s);
	return age < YOUNG_S ? &s->young[(s->last_s - age) % YOUNG_S] : NULL;
}

unsigned attempts_young(const struct source *s, uint32_t now_s)
{
	unsigned sum = 0;
	for (uint32_t i = 0; i < YOUNG_S && i <= s->last_s; i++)
		if ((int32_t)(now_s - (s->last_s - i)) < YOUNG_S)
			sum += s->young[(s->last_s - i) % YOUNG_S];
	return sum;
}

static uint32_t contacts_of(const struct source *s)
{
	return s->failed + s->answered + s->unknown;
}

static void count_failed(struct source *s, struct contact *c, unsigned weight)
{
	c->weight = weight & 3;
	if (weight == ODDS_NO_STEP)
		return;
	s->failed++;
	odds_ask(&s->walk, weight);
}

static void make_young(struct source *s, unsigned weight)
{
	uint16_t *young = &s->young[s->last_s % YOUNG_S];
	*young = (uint16_t)(*young + weight < UINT16_MAX ? *young + weight
							 : UINT16_MAX);
}

static void make_old(struct source *s, const struct contact *c)
{
	uint16_t *young =
	    c->state == CONTACT_ASKED ? young_at(s, c->at_s) : NULL;
	if (young)
		*young =
		    (uint16_t)(*young > c->weight ? *young - c->weight : 0);
}

/* The source that began this contact, or NULL: it is not known any more, or a
 * monitored host. */
static struct source *owner_of(
    struct table *t, const struct contact *c, const struct addr *began)
{
	struct source *s = &t->sources[c->owner];
	bool home = c->state != CONTACT_UNASKED && c->weight == WEIGHT_OF_HOME;
	return home || !(s->flags & SOURCE_USED) ||
		!table_same_unit(began, &s->addr)
	    ? NULL
	    : s;
}

/* ---- what becomes of a contact ---- */

static bool is_over(const struct contact *c)
{
	return c->state >= CONTACT_PASSED;
}

static void mark_answered(
    struct table *t, struct contact *c, const struct addr *began)
{
	if (c->state == CONTACT_ANSWERED || c->state == CONTACT_PROVEN)
		return;
	struct source *s = owner_of(t, c, began);
	bool home = c->weight == WEIGHT_OF_HOME;
	if (s) {
		make_old(s, c);
		unsigned weight =
		    c->state == CONTACT_PASSED ? ODDS_NO_STEP : c->weight;
		if (weight != ODDS_NO_STEP && s->failed > 0)
			s->failed--;
		s->answered++;
		odds_answer(&s->walk, weight, contacts_of(s));
	}
	c->state = CONTACT_ANSWERED;
	c->weight = home ? WEIGHT_OF_HOME : 0;
}

static void mark_refused(
    struct table *t, struct contact *c, const struct addr *began)
{
	if (c->state != CONTACT_ASKED && c->state != CONTACT_FAILED)
		return;
	struct source *s = owner_of(t, c, began);
	if (s) {
		make_old(s, c);
		if (c->weight == ODDS_NO_STEP)
			s->failed++;
		if (c->weight < ODDS_STEP) {
			odds_ask(&s->walk, ODDS_STEP - c->weight);
			c->weight = ODDS_STEP;
		}
		odds_settle(&s->walk, attempts_young(s, t->now_s));
	}
	c->state = CONTACT_REFUSED;
}

/* As if it had not been begun. */
static void take_back(struct source *s, struct contact *c)
{
	if (c->weight == ODDS_NO_STEP || c->weight == WEIGHT_OF_HOME)
		return;
	make_old(s, c);
	s->failed -= s->failed > 0;
	odds_take_back(&s->walk, c->weight);
	c->weight = ODDS_NO_STEP;
}

/* A router answered for the way, not for the other end. */
static void mark_passed(
    struct table *t, struct contact *c, const struct addr *began)
{
	if (c->state != CONTACT_ASKED && c->state != CONTACT_FAILED)
		return;
	struct source *s = owner_of(t, c, began);
	if (s)
		take_back(s, c);
	c->state = CONTACT_PASSED;
}

/* What is forgotten is unknown. */
void table_contact_evicted(void *arg, const struct contact *c)
{
	struct table *t = arg;
	struct source *s = &t->sources[c->owner];
	bool failed = c->state == CONTACT_ASKED || c->state == CONTACT_FAILED ||
	    c->state == CONTACT_REFUSED;
	if (!failed || c->weight == ODDS_NO_STEP ||
	    c->weight == WEIGHT_OF_HOME || !(s->flags & SOURCE_USED) ||
	    s->failed == 0)
		return;
	struct contact lost = *c;
	take_back(s, &lost);
	s->unknown++;
}

/* ---- the packet's side ---- */

static bool has_grown(const struct trace *trace)
{
	return (trace->ttls & (trace->ttls - 1)) != 0;
}

/* One that grows makes up for one that did not. */
static void add_ttl(struct source_more *m, struct trace *trace, uint8_t ttl)
{
	bool had_grown = has_grown(trace);
	trace->ttls |= UINT32_C(1) << ttl;
	if (!had_grown && has_grown(trace))
		m->traces_single -= m->traces_single > 0;
}

/* The way to this destination, begun if need be, or NULL: too many were begun
 * and not gone on with.  The one that makes room is the oldest. */
static struct trace *find_trace(struct source_more *m, uint32_t target)
{
	for (size_t i = 0; i < TRACES; i++)
		if (m->traces[i].ttls && m->traces[i].target == target)
			return &m->traces[i];
	struct trace *trace = &m->traces[m->trace_next];
	if (trace->ttls && !has_grown(trace)) {
		if (m->traces_single >= TRACES)
			return NULL;
		m->traces_single++;
	}
	m->trace_next = (m->trace_next + 1) % TRACES;
	*trace = (struct trace){ .target = target };
	return trace;
}

/* A probe with a TTL that grows from one that was just enough for here. */
static bool goes_on_trace(
    struct table *t, const struct table_entry *e, struct source *s)
{
	const struct packet *p = &e->packet;
	struct source_more *m = rows_more(t, s);
	if (!m)
		return true; /* not judged */
	struct trace *trace = find_trace(m, e->target);
	if (!trace)
		return false;
	add_ttl(m, trace, p->ttl);
	trace->probes += trace->probes < UINT8_MAX;
	if (has_grown(trace) && p->proto == PACKET_UDP &&
	    p->dport >= TRACEROUTE_HIGH_PORT)
		return true;
	int hops = __builtin_popcount(trace->ttls);
	return trace->probes <= TRACEROUTE_TRIES * hops;
}

/* What is meant for a router on the way: by traceroute's own ports, or by its
 * TTLs. */
static bool is_traceroute(
    struct table *t, const struct table_entry *e, struct source *s)
{
	const struct packet *p = &e->packet;
	if (p->ttl >= TRACEROUTE_TTL)
		return false;
	if (p->proto == PACKET_UDP &&
	    (uint16_t)(p->dport - TRACEROUTE_PORT) < TRACEROUTE_PORTS)
		return true;
	return s->ttl_min <= TRACEROUTE_NEAR && goes_on_trace(t, e, s);
}

/* Of a trace whose probes are one contact the later ones show that it grows. */
static void note_trace(
    struct table *t, const struct table_entry *e, const struct source *s)
{
	if (e->packet.ttl >= TRACEROUTE_TTL || s->more == MORE_NONE)
		return;
	struct source_more *m = &t->more[s->more];
	for (size_t i = 0; i < TRACES; i++) {
		struct trace *trace = &m->traces[i];
		if (trace->ttls && trace->target == e->target)
			add_ttl(m, trace, e->packet.ttl);
	}
}

static unsigned weight_of(const struct message *m)
{
	if (m->role == MESSAGE_STRAY)
		return ODDS_NO_STEP;
	switch (m->kind) {
	case KIND_UDP: return ODDS_STEP;
	case KIND_TCP_ACK:
	case KIND_TCP_MAIMON: return ODDS_WEAK_STEP;
	default: break;
	}
	return m->role == MESSAGE_QUESTION ? ODDS_STEP : ODDS_NO_STEP;
}

/* What later packets of the contact are compared with. */
static uint32_t value_of(const struct packet *p, const struct message *m)
{
	return m->role == MESSAGE_QUESTION ? p->tcp_seq : p->tcp_ack;
}

static void begin_contact(
    struct table *t, const struct table_entry *e, struct source *s)
{
	const struct message *m = &e->reading.message;
	uint16_t now_s = (uint16_t)(s ? s->last_s : t->now_s);
	struct contact *c = contact_add(t->contacts, e->asked, now_s);
	c->state = CONTACT_ASKED;
	c->at_s = now_s;
	c->id = short_id(m->id);
	c->value = value_of(&e->packet, m);
	if (!s) {
		c->weight = WEIGHT_OF_HOME;
		return;
	}
	c->owner = (uint32_t)(s - t->sources) & (CONTACT_OWNERS_MAX - 1);
	if (is_traceroute(t, e, s)) {
		c->state = CONTACT_PASSED;
		return;
	}
	unsigned weight = weight_of(m);
	count_failed(s, c, weight);
	if (weight == ODDS_NO_STEP)
		return;
	make_young(s, weight);
	odds_settle(&s->walk, attempts_young(s, t->now_s));
}

/* The answer was here first. */
static void find_answer(struct table *t, const struct table_entry *e,
    struct source *s, struct contact *c)
{
	struct source *other = owner_of(t, c, &e->packet.dst);
	bool refused = c->weight == WEIGHT_WAS_REFUSAL;
	bool cookie = c->weight == WEIGHT_WAS_COOKIE;
	if (other) {
		other->unasked -= other->unasked > 0;
		other->replies += other->replies < UINT16_MAX;
	}
	c->state = refused ? CONTACT_REFUSED : CONTACT_ANSWERED;
	c->weight = !s ? WEIGHT_OF_HOME : cookie ? WEIGHT_COOKIE : 0;
	c->id = short_id(e->reading.message.id);
	if (!s)
		return;
	c->owner = (uint32_t)(s - t->sources) & (CONTACT_OWNERS_MAX - 1);
	if (is_traceroute(t, e, s)) {
		c->state = CONTACT_PASSED;
	} else if (refused) {
		count_failed(s, c, ODDS_STEP);
		odds_settle(&s->walk, attempts_young(s, t->now_s));
	} else {
		s->answered++;
		odds_answer(&s->walk, ODDS_NO_STEP, contacts_of(s));
	}
}

/* A segment with an acknowledgement, on a contact that its sender began. */
static void follow_segment(struct table *t, const struct packet *p,
    const struct message *m, struct source *s, struct contact *c)
{
	bool acknowledges =
	    p->tcp_flags & PACKET_TCP_ACK && !(p->tcp_flags & PACKET_TCP_SYN);
	if (!acknowledges)
		return;
	if (c->state == CONTACT_ANSWERED && c->weight == WEIGHT_COOKIE) {
		if (p->tcp_ack == c->value) {
			c->state = CONTACT_PROVEN;
			s->flags |= SOURCE_PROVEN;
		}
	} else if (c->state != CONTACT_ASKED && c->state != CONTACT_FAILED) {
		return;
	} else if (c->weight == ODDS_STEP) {
		/* After its SYN: the other end's part was not captured. */
		if (p->tcp_ack == 0 || p->tcp_seq - c->value - 1 >= SAME_FLOW)
			return;
		mark_answered(t, c, &p->src);
		rows_mark_answered(t, s, p->proto, m->dport);
	} else if (c->weight == ODDS_WEAK_STEP) {
		uint16_t age = (uint16_t)((uint16_t)t->now_s - c->at_s);
		bool goes_on = m->kind == KIND_TCP_DATA ||
		    (p->tcp_ack != c->value &&
			p->tcp_ack - c->value < SAME_FLOW) ||
		    age >= KEEPALIVE_LEAST_S;
		if (goes_on)
			take_back(s, c);
	}
}

/* Another packet of a contact that its source began. */
static void continue_contact(struct table *t, const struct table_entry *e,
    struct source *s, struct contact *c)
{
	const struct packet *p = &e->packet;
	const struct message *m = &e->reading.message;
	if (c->state == CONTACT_UNASKED) {
		find_answer(t, e, s, c);
		return;
	}
	uint16_t now_s = (uint16_t)(s ? s->last_s : t->now_s);
	uint16_t age = (uint16_t)(now_s - c->at_s);
	bool mine = s && c->weight != WEIGHT_OF_HOME &&
	    c->owner == (uint32_t)(s - t->sources);
	enum contact_state before = c->state;
	if (mine && before == CONTACT_PASSED)
		note_trace(t, e, s);
	if (mine && p->proto == PACKET_TCP)
		follow_segment(t, p, m, s, c);
	if (before != c->state) /* its handshake is over */
		flood_folds_completed(t, e->target, e->at.ns);
	if (mine && m->role == MESSAGE_QUESTION && c->id != short_id(m->id)) {
		s->repeats++;
		c->id = short_id(m->id);
	}
	/* Who asks again has waited long enough. */
	bool waited = mine && age > 0 && c->weight == ODDS_STEP;
	if (c->state == CONTACT_ASKED && waited) {
		make_old(s, c);
		odds_settle(&s->walk, attempts_young(s, t->now_s));
	}
	if (c->state == CONTACT_ASKED && (waited || age >= YOUNG_S))
		c->state = CONTACT_FAILED;
	if (c->state != CONTACT_ASKED)
		c->at_s = now_s;
}

static void ask_contact(
    struct table *t, const struct table_entry *e, struct source *s)
{
	struct contact *c = contact_find(t->contacts, e->asked);
	if (c)
		continue_contact(t, e, s, c);
	else
		begin_contact(t, e, s);
}

static bool is_refusal(const struct message *m, const struct packet *p)
{
	return m->kind == KIND_TCP_RST ||
	    (m->kind == KIND_SCTP && p->payload_len > 12 &&
		p->payload[12] == 6); /* ABORT */
}

/* An answer to this contact, which may be UNASKED: then it is another copy. */
static enum packet_class answer_contact(struct table *t,
    const struct table_entry *e, struct source *s, struct contact *c)
{
	const struct packet *p = &e->packet;
	const struct message *m = &e->reading.message;
	if (c->state == CONTACT_UNASKED)
		return CLASS_BACKSCATTER;
	bool was_over = is_over(c) || c->state == CONTACT_REFUSED;
	if (is_refusal(m, p))
		mark_refused(t, c, &p->dst);
	else
		mark_answered(t, c, &p->dst);
	if (m->kind == KIND_TCP_SYN_ACK && c->weight != WEIGHT_OF_HOME &&
	    c->state == CONTACT_ANSWERED) {
		c->value = p->tcp_seq + 1;
		c->weight = WEIGHT_COOKIE;
	}
	c->at_s = (uint16_t)t->now_s;
	if (!was_over && p->proto == PACKET_UDP)
		flood_folds_completed(t, table_hash_target(&p->src), e->at.ns);
	if (!was_over) {
		rows_mark_answered(
		    t, owner_of(t, c, &p->dst), p->proto, m->sport);
		if (s)
			s->replies += s->replies < UINT16_MAX;
	}
	return CLASS_REPLY;
}

/* Leaves what its question will find.  A monitored host (NULL) is no source:
 * whoever has the number 0 has another address (owner_of). */
static struct contact *leave_answer(
    struct table *t, struct source *s, uint64_t hash, unsigned weight)
{
	struct contact *c = contact_add(t->contacts, hash, (uint16_t)t->now_s);
	c->state = CONTACT_UNASKED;
	c->at_s = (uint16_t)t->now_s;
	c->owner = 0;
	c->weight = weight & 3;
	if (!s)
		return c;
	c->owner = (uint32_t)(s - t->sources) & (CONTACT_OWNERS_MAX - 1);
	s->unasked += s->unasked < UINT16_MAX;
	return c;
}

static enum packet_class answer_unasked(
    struct table *t, const struct table_entry *e, struct source *s)
{
	const struct message *m = &e->reading.message;
	bool cookie = m->kind == KIND_TCP_SYN_ACK;
	struct contact *c = leave_answer(t, s, e->answered,
	    is_refusal(m, &e->packet) ? WEIGHT_WAS_REFUSAL
		: cookie              ? WEIGHT_WAS_COOKIE
				      : 0);
	c->value = e->packet.tcp_seq + 1;
	return CLASS_BACKSCATTER;
}

/* ---- ICMP errors ---- */

static bool is_time_exceeded(const struct packet *p)
{
	return p->proto == PACKET_ICMP ? p->icmp_type == 11 : p->icmp_type == 3;
}

static bool is_unreachable(const struct packet *p)
{
	if (p->proto == PACKET_ICMP) /* but not "fragmentation needed" */
		return p->icmp_type == 3 && p->icmp_code != 4;
	return p->icmp_type == 1 || p->icmp_type == 4;
}

/* What an error quotes: a question, or an answer to one. */
struct quoted {
	struct packet packet;
	uint64_t hash; /* of the contact that it is, if it asks */
	bool may_ask, asked;
};

/* The contact that an error is about. */
static struct contact *find_quoted(
    const struct table *t, const struct packet *error, struct quoted *q)
{
	struct table_entry e;
	q->may_ask = q->asked = false;
	if (packet_decode_quote(&q->packet, error) != 0)
		return NULL;
	e.packet = q->packet;
	message_read(&q->packet, &e.reading.message);
	table_prepare(t, &e);
	enum message_role role = e.reading.message.role;
	q->may_ask = role == MESSAGE_QUESTION || role == MESSAGE_EITHER;
	q->hash = e.asked;
	struct contact *c = contact_find(t->contacts, e.asked);
	q->asked = c && c->state != CONTACT_UNASKED;
	return q->asked ? c : contact_find(t->contacts, e.answered);
}

/* Whose question was not seen, or comes after it. */
static void report_unasked(struct table *t, const struct packet *p,
    const struct quoted *q, struct source *s)
{
	struct contact *c = q->may_ask && is_unreachable(p)
	    ? contact_find(t->contacts, q->hash)
	    : NULL;
	if (c && c->owner == (uint32_t)(s - t->sources))
		return; /* it was told before */
	if (q->may_ask && is_unreachable(p) && !c)
		leave_answer(t, s, q->hash, WEIGHT_WAS_REFUSAL);
	else
		s->unasked += s->unasked < UINT16_MAX;
}

static enum packet_class report_error(
    struct table *t, const struct packet *p, struct source *s)
{
	struct quoted q;
	struct contact *c = find_quoted(t, p, &q);
	if (!c || c->state == CONTACT_UNASKED) {
		if (s)
			report_unasked(t, p, &q, s);
		return CLASS_BACKSCATTER;
	}
	if (q.asked && is_time_exceeded(p))
		mark_passed(t, c, &q.packet.src);
	else if (q.asked && is_unreachable(p))
		mark_refused(t, c, &q.packet.src);
	return CLASS_REPLY;
}

/* ---- the way in ---- */

/* The contact that the packet may answer: found before, unless it was moved
 * since. */
static struct contact *find_answered(
    const struct table *t, const struct table_entry *e)
{
	if (e->found && contact_is(e->found, e->answered))
		return e->found;
	return contact_find(t->contacts, e->answered);
}

enum packet_class attempts_count(
    struct table *t, const struct table_entry *e, struct source *s)
{
	enum message_role role = e->reading.message.role;
	struct contact *c;
	if (s)
		advance_source(s, t->now_s);
	switch (role) {
	case MESSAGE_QUESTION: ask_contact(t, e, s); return CLASS_PROBE;
	case MESSAGE_ANSWER:
		c = find_answered(t, e);
		return c ? answer_contact(t, e, s, c) : answer_unasked(t, e, s);
	case MESSAGE_EITHER:
	case MESSAGE_STRAY:
		c = find_answered(t, e);
		if (c && c->state != CONTACT_UNASKED)
			return answer_contact(t, e, s, c);
		ask_contact(t, e, s);
		return role == MESSAGE_STRAY ? CLASS_STRAY : CLASS_PROBE;
	case MESSAGE_ERROR: return report_error(t, &e->packet, s);
	case MESSAGE_LOCAL: return CLASS_LOCAL;
	case MESSAGE_NONE:
	case MESSAGE_ROLES: break;
	}
	return CLASS_OTHER;
}

/* Who has begun it does not matter, only that the monitored host took part. */
bool attempts_is_reply(struct table *t, const struct table_entry *e)
{
	enum message_role role = e->reading.message.role;
	struct quoted q;
	if (role == MESSAGE_ERROR) {
		struct contact *c = find_quoted(t, &e->packet, &q);
		return c && c->state != CONTACT_UNASKED;
	}
	if (role != MESSAGE_ANSWER && role != MESSAGE_EITHER &&
	    role != MESSAGE_STRAY)
		return false;
	struct contact *c = contact_find(t->contacts, e->answered);
	if (c && c->state != CONTACT_UNASKED) {
		answer_contact(t, e, NULL, c);
		return true;
	}
	c = role == MESSAGE_ANSWER ? NULL : contact_find(t->contacts, e->asked);
	if (!c || (c->state != CONTACT_ANSWERED && c->state != CONTACT_PROVEN))
		return false;
	struct source *s = owner_of(t, c, &e->packet.src);
	if (s)
		continue_contact(t, e, s, c);
	return true;
}
