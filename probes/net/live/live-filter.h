/* SPDX-License-Identifier: ISC */
/*
 * Which packets the kernel copies to us: what can answer a probe that was
 * sent, and nothing else.  Each probe widens the ranges of local ports and
 * echo ids that are listened to; before the first, nothing is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct live_range {
	uint16_t low, high; /* nothing if low is above high */
};

/* What a socket sees: any IP packet, or one protocol of one family.  Those of
 * IPv6 begin behind the IP header, the others at it. */
enum live_filter_form {
	LIVE_FILTER_IP,
	LIVE_FILTER_ICMP,
	LIVE_FILTER_UDP,
	LIVE_FILTER_TCP,
	LIVE_FILTER_ICMP6,
	LIVE_FILTER_UDP6,
	LIVE_FILTER_TCP6
};

struct live_filter {
	int fd; /* borrowed */
	enum live_filter_form form;
	bool errors;   /* ICMP errors are let through, */
	bool segments; /* and TCP that is neither SYN nor reset */
	struct live_range echo, udp, tcp;
};

/* Lets nothing through.  0 or a negative errno, like the others. */
int live_filter_open(
    struct live_filter *filter, int fd, enum live_filter_form form);
/* Is anything let through? */
bool live_filter_listens(const struct live_filter *filter);
/* This IP packet is about to leave; its family is the socket's. */
int live_filter_admit(
    struct live_filter *filter, const uint8_t *bytes, size_t len);
/* No program listens any more. */
int live_filter_forget(struct live_filter *filter);
