/* SPDX-License-Identifier: ISC */
/*
 * A program of the classic packet filter, Documentation/networking/filter in
 * Linux, in a form that differs only in the numbers of its ranges.  It is put
 * on the socket in one step, so no packet is missed while it changes, and no
 * text is compiled in the process that sends.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include "probes/net/live/live-filter.h"
#include "lib/packet/octets.h"
#include "lib/packet/packet.h"

#define SNAPLEN 65535
#define GRAIN 256 /* ports that a range grows by: fewer changes */
#define CODE_MAX 112

enum label {
	NEXT, /* the instruction after this one */
	V6,
	FRAGMENT6, /* the first extension header */
	EXTENSION6,
	FRAGMENT6_SECOND,
	EXTENSION6_SECOND,
	UPPER,
	UDP,
	TCP,
	ICMP,
	ICMP6,
	ECHO_REPLY,
	ACCEPT,
	DROP,
	LABELS
};

/* Jumps name labels until all is written. */
struct code {
	struct sock_filter at[CODE_MAX];
	uint8_t labels[LABELS]; /* where each is */
	uint8_t count;
};

static void put_instruction(struct code *c, uint16_t what, uint32_t k)
{
	c->at[c->count++] = (struct sock_filter){ what, 0, 0, k };
}

static void branch(
    struct code *c, uint16_t test, uint32_t k, enum label yes, enum label no)
{
	c->at[c->count++] =
	    (struct sock_filter){ BPF_JMP | test | BPF_K, yes, no, k };
}

static void label(struct code *c, enum label label)
{
	c->labels[label] = c->count;
}

static void resolve_jumps(struct code *c)
{
	for (uint8_t i = 0; i < c->count; i++) {
		struct sock_filter *f = &c->at[i];
		if (BPF_CLASS(f->code) != BPF_JMP)
			continue;
		f->jt = f->jt == NEXT ? 0 : c->labels[f->jt] - i - 1;
		f->jf = f->jf == NEXT ? 0 : c->labels[f->jf] - i - 1;
	}
}

enum { BYTE = BPF_LD | BPF_B, HALF = BPF_LD | BPF_H };
enum {
	IP6_HOP_BY_HOP = 0,
	IP6_ROUTING = 43,
	IP6_FRAGMENT = 44,
	IP6_DESTINATION = 60
};

/* The 16 bits at k behind the IP header are in the range. */
static void accept_range(
    struct code *c, uint32_t k, const struct live_range *range)
{
	put_instruction(c, HALF | BPF_IND, k);
	branch(c, BPF_JGE, range->low, NEXT, DROP);
	branch(c, BPF_JGT, range->high, DROP, ACCEPT);
}

/* A is what follows at X: goes to one of these if it is an extension header. */
static void branch_to_extension(
    struct code *c, enum label fragment, enum label extension)
{
	branch(c, BPF_JEQ, PACKET_ICMP6, ICMP6, NEXT);
	branch(c, BPF_JEQ, IP6_FRAGMENT, fragment, NEXT);
	branch(c, BPF_JEQ, IP6_HOP_BY_HOP, extension, NEXT);
	branch(c, BPF_JEQ, IP6_ROUTING, extension, NEXT);
	branch(c, BPF_JEQ, IP6_DESTINATION, extension, UPPER);
}

/* Looks through an extension header of IPv6 at X, as a packet that was cut up
 * or carries an option has it: A becomes what follows, X where. */
static void skip_extension(
    struct code *c, enum label fragment, enum label extension)
{
	label(c, fragment);
	put_instruction(c, HALF | BPF_IND, 2);
	branch(c, BPF_JSET, 0xfff8, DROP, NEXT); /* a later fragment */
	label(c, extension);
	put_instruction(c, BYTE | BPF_IND, 1); /* 0 for a fragment */
	put_instruction(c, BPF_ALU | BPF_LSH | BPF_K, 3);
	put_instruction(c, BPF_ALU | BPF_ADD, 8);
	put_instruction(c, BPF_ALU | BPF_ADD | BPF_X, 0);
	put_instruction(c, BPF_ST, 0);
	put_instruction(c, BYTE | BPF_IND, 0);
	put_instruction(c, BPF_LDX | BPF_MEM, 0);
}

/* X becomes the length of the IP header, A the upper protocol. */
static void write_ip(struct code *c)
{
	put_instruction(
	    c, BYTE | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_PKTTYPE);
	branch(c, BPF_JEQ, PACKET_OUTGOING, DROP, NEXT);
	put_instruction(c, BYTE | BPF_ABS, 0);
	put_instruction(c, BPF_ALU | BPF_RSH | BPF_K, 4);
	branch(c, BPF_JEQ, 6, V6, NEXT);
	branch(c, BPF_JEQ, 4, NEXT, DROP);
	put_instruction(c, HALF | BPF_ABS, 6);
	branch(c, BPF_JSET, 0x1fff, DROP, NEXT); /* a later fragment */
	put_instruction(c, BPF_LDX | BPF_B | BPF_MSH, 0);
	put_instruction(c, BYTE | BPF_ABS, 9);
	branch(c, BPF_JEQ, PACKET_ICMP, ICMP, UPPER);
	label(c, V6);
	put_instruction(c, BPF_LDX | BPF_IMM, 40);
	put_instruction(c, BYTE | BPF_ABS, 6);
	branch_to_extension(c, FRAGMENT6, EXTENSION6);
	skip_extension(c, FRAGMENT6, EXTENSION6);
	branch_to_extension(c, FRAGMENT6_SECOND, EXTENSION6_SECOND);
	skip_extension(c, FRAGMENT6_SECOND, EXTENSION6_SECOND);
	branch(c, BPF_JEQ, PACKET_ICMP6, ICMP6, UPPER);
}

/* Errors as in packet_is_icmp_error, and echo replies. */
static void write_icmp(struct code *c, const struct live_range *echo)
{
	label(c, ICMP);
	put_instruction(c, BYTE | BPF_IND, 0);
	branch(c, BPF_JEQ, 0, ECHO_REPLY, NEXT);
	branch(c, BPF_JEQ, 11, ACCEPT, NEXT);
	branch(c, BPF_JEQ, 12, ACCEPT, NEXT);
	branch(c, BPF_JGE, 3, NEXT, DROP);
	branch(c, BPF_JGT, 5, DROP, ACCEPT);
	label(c, ICMP6);
	put_instruction(c, BYTE | BPF_IND, 0);
	branch(c, BPF_JEQ, 129, ECHO_REPLY, NEXT);
	branch(c, BPF_JEQ, 137, ACCEPT, NEXT); /* redirect */
	branch(c, BPF_JGT, 4, DROP, ACCEPT);
	label(c, ECHO_REPLY);
	accept_range(c, 4, echo);
}

static void write_ports(struct code *c, const struct live_filter *filter)
{
	uint32_t flags = PACKET_TCP_SYN | PACKET_TCP_RST;
	if (filter->segments)
		flags |= PACKET_TCP_ACK;

	label(c, UPPER);
	branch(c, BPF_JEQ, PACKET_UDP, UDP, NEXT);
	branch(c, BPF_JEQ, PACKET_TCP, TCP, DROP);
	label(c, UDP);
	accept_range(c, 2, &filter->udp);
	label(c, TCP);
	put_instruction(c, BYTE | BPF_IND, 13);
	branch(c, BPF_JSET, flags, NEXT, DROP);
	accept_range(c, 2, &filter->tcp);
}

static bool is_empty(const struct live_range *range)
{
	return range->low > range->high;
}

bool live_filter_listens(const struct live_filter *filter)
{
	return filter->errors || !is_empty(&filter->echo) ||
	    !is_empty(&filter->udp) || !is_empty(&filter->tcp);
}

/* A raw socket of IPv6 shows no IP header. */
static void write_upper(struct code *c, enum label where)
{
	put_instruction(c, BPF_LDX | BPF_IMM, 0);
	branch(c, BPF_JGE, 0, where, where); /* always */
}

static void write_begin(struct code *c, enum live_filter_form form)
{
	switch (form) {
	case LIVE_FILTER_ICMP6: write_upper(c, ICMP6); break;
	case LIVE_FILTER_UDP6: write_upper(c, UDP); break;
	case LIVE_FILTER_TCP6: write_upper(c, TCP); break;
	default: write_ip(c); break;
	}
}

static int attach(const struct live_filter *filter)
{
	struct code c = { .count = 0 };
	if (live_filter_listens(filter)) {
		write_begin(&c, filter->form);
		write_icmp(&c, &filter->echo);
		write_ports(&c, filter);
		label(&c, ACCEPT);
		put_instruction(&c, BPF_RET | BPF_K, SNAPLEN);
	}
	label(&c, DROP);
	put_instruction(&c, BPF_RET | BPF_K, 0);
	resolve_jumps(&c);
	struct sock_fprog program = { c.count, c.at };
	return setsockopt(filter->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
		   sizeof(program)) != 0
	    ? -errno
	    : 0;
}

int live_filter_forget(struct live_filter *filter)
{
	const struct live_range none = { 1, 0 };
	filter->errors = filter->segments = false;
	filter->echo = filter->udp = filter->tcp = none;
	return attach(filter);
}

int live_filter_open(
    struct live_filter *filter, int fd, enum live_filter_form form)
{
	filter->fd = fd;
	filter->form = form;
	return live_filter_forget(filter);
}

/* True if the range had to grow. */
static bool widen(struct live_range *range, uint16_t value)
{
	uint16_t low = value & ~(GRAIN - 1), high = value | (GRAIN - 1);
	if (value >= range->low && value <= range->high)
		return false;
	if (is_empty(range) || low < range->low)
		range->low = low;
	if (high > range->high)
		range->high = high;
	return true;
}

/* Which range a probe of this protocol widens; NULL: none of this socket. */
static struct live_range *range_for(struct live_filter *filter, uint8_t proto)
{
	bool udp = proto == PACKET_UDP, tcp = proto == PACKET_TCP;
	switch (filter->form) {
	case LIVE_FILTER_ICMP:
	case LIVE_FILTER_ICMP6: return udp || tcp ? NULL : &filter->echo;
	case LIVE_FILTER_UDP:
	case LIVE_FILTER_UDP6: return udp ? &filter->udp : NULL;
	case LIVE_FILTER_TCP:
	case LIVE_FILTER_TCP6: return tcp ? &filter->tcp : NULL;
	default: return udp ? &filter->udp : tcp ? &filter->tcp : &filter->echo;
	}
}

static bool hears_errors(enum live_filter_form form)
{
	return form == LIVE_FILTER_IP || form == LIVE_FILTER_ICMP ||
	    form == LIVE_FILTER_ICMP6;
}

int live_filter_admit(
    struct live_filter *filter, const uint8_t *bytes, size_t len)
{
	const struct live_filter old = *filter;
	bool v6 = bytes[0] >> 4 == 6;
	size_t at = v6 ? 40 : (size_t)(bytes[0] & 15) * 4;
	if (len < at + 8)
		return 0;
	uint8_t proto = v6 ? bytes[6] : bytes[9];
	bool port = proto == PACKET_UDP || proto == PACKET_TCP;
	struct live_range *range = range_for(filter, proto);
	bool grown = hears_errors(filter->form) && !filter->errors;
	filter->errors = filter->errors || grown;
	/* What acknowledges something may be answered by any segment. */
	if (range == &filter->tcp && !filter->segments && len > at + 13 &&
	    bytes[at + 13] & PACKET_TCP_ACK)
		grown = filter->segments = true;
	if (range)
		grown |= widen(range, load_be16(bytes + at + (port ? 0 : 4)));
	int err = grown ? attach(filter) : 0;
	if (err) /* the next probe tries again */
		*filter = old;
	return err;
}
