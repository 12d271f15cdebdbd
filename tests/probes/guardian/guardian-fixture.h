/* SPDX-License-Identifier: ISC */
/*
 * The guardian between workers (this thread) and a network that is a list of
 * what was sent and a heap of what will come back, in virtual time.
 */
#pragma once

#include "lib/base/xalloc.h"
#include "probes/ipc/counters.h"
#include "probes/guardian/guardian.h"
#include "probes/guardian/wire.h"
#include "lib/packet/packet.h"
#include "probes/policy/policy-file.h"

/* guardian-net.c: the network */
#define MAX_SENT 40000
#define MAX_COMING 64

extern struct fake_net {
	int64_t now;
	int64_t asleep_ns; /* that the wall clock has gone on without it */
	size_t sent_count;
	struct {
		int64_t at;
		uint32_t cookie;
		size_t len;
		uint8_t bytes[64];
	} sent[MAX_SENT];
	struct coming {
		int64_t at;
		int kind;
		uint32_t cookie;
		size_t len;
		uint8_t bytes[1500];
	} coming[MAX_COMING];
	size_t coming_count;
	bool no_stamps;
	int fail_sends;       /* an errno */
	struct net_flow flow; /* the last that a way was asked for */
	void (*answer)(const uint8_t *packet, size_t len);
} net;

extern const struct net_ops fake;

/* Messages order what the two threads do; their descriptors were passed, so
 * ThreadSanitizer does not know.  Said by both around each. */
void meet(void);

/* Something will come back; kind as in struct net_event. */
void come(
    int64_t in_ns, int kind, uint32_t cookie, const uint8_t *bytes, size_t len);

/* For net.answer: what a target or a router on the way says. */
size_t make_echo_reply(uint8_t *reply, const uint8_t *p, size_t len);
void answer_echo(const uint8_t *p, size_t len);
void answer_echo_twice(const uint8_t *p, size_t len);
/* Time exceeded from 11.0.0.254, quoting header and 8 octets. */
void answer_expired(const uint8_t *p, size_t len);
void answer_expired_v6(const uint8_t *p, size_t len);

/* guardian-fixture.c: two local workers and a remote one */
#define WORKERS 3
#define MAX_HEARD 512

extern struct policy policy;
extern uint64_t breaches; /* that a test has provoked */
extern struct worker {
	int fd;
	struct wire_head head; /* of the last message */
	struct wire_event heard[MAX_HEARD];
	size_t count;
	uint8_t octets[2048]; /* of the last reply */
} workers[WORKERS];

int setup(void **state);
int teardown(void **state);
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int add_run(enum policy_who who); /* gives the worker's end */
int add_run_by(const struct guardian_run *run);
uint64_t counted(const char *name);
struct wire_probe echo(const char *dst, uint64_t cookie);
struct wire_probe udp(const char *dst, uint64_t cookie);
void say(int who, uint32_t type, uint32_t count, const void *body, size_t len);
void say_probe(int who, struct wire_probe p);
void say_wait(int who, int64_t until);
/* Takes one message; false when the guardian has closed the run. */
bool hear(struct worker *w);
/* Lets all workers wait until so much virtual time has passed; what they
 * hear is in workers[]. */
void play(int64_t ns);
