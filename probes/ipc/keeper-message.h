/* SPDX-License-Identifier: ISC */
/*
 * What the keeper and the shipper exchange.  Every channel is a
 * SOCK_SEQPACKET pair that the supervisor makes and keeps, so a process that
 * dies is replaced on the same channel; every message is one fixed-size
 * struct that holds something absolute ("committed up to here"), so one that is
 * lost or comes twice does no harm.
 */
#pragma once

#include <stdint.h>

/* The spool's folder within the agent's state folder, which processes make
 * their working folder while they are root, so that its parents need not be
 * open to them. */
#define AGENT_SPOOL "spool"

/* keeper -> shipper: everything below next_seq of this epoch is on disk. */
struct ship_mark {
	uint64_t epoch, next_seq;
};

enum ship_order_kind {
	SHIP_HELLO,    /* send the mark */
	SHIP_ACK,      /* the collector has committed all below next_seq */
	SHIP_LOST,     /* from..next_seq-1 is neither here nor there */
	SHIP_NEW_EPOCH /* this epoch's numbers mean something else there */
};

/* shipper -> keeper */
struct ship_order {
	uint32_t kind; /* enum ship_order_kind */
	uint32_t unused;
	uint64_t epoch, from_seq, next_seq;
};
