/* SPDX-License-Identifier: ISC */
/*
 * sonde-shipper, the only program of the agent that holds a TLS library: how
 * it is found and started, and its orders.  The message comes over a
 * socket on its standard input, so that no secret is ever in its arguments or
 * environment; the descriptors it names are the only others that it inherits.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/err.h"
#include "lib/https/url.h"

#define SHIPPER_BODY_MAX 2048
#define SHIPPER_ANSWER_MAX 16384

enum shipper_job {
	SHIPPER_SHIP, /* until SIGTERM */
	SHIPPER_POST  /* one exchange, for enrolment */
};

struct shipper_start {
	char version[32]; /* both must be of one build */
	uint32_t job, log_level;
	pid_t parent;
	char url[URL_MAX_LEN], ca_file[PATH_MAX]; /* empty: the system's */
	uint32_t uid, gid;                        /* to become; 0: nobody */
	uint32_t allow_weak_sandbox;
	/* SHIPPER_SHIP */
	uint8_t agent[16], secret_key[64];
	int32_t keeper_fd, supervisor_fd, counters_fd;
	int64_t retry_least_ns, retry_most_ns;
	/* SHIPPER_POST: JSON to this path, and what came back is a
	 * struct shipper_answer over the same socket. */
	char path[64], body[SHIPPER_BODY_MAX];
};

struct shipper_answer {
	int32_t err; /* 0: the collector answered */
	struct errmsg why;
	int64_t status;
	uint32_t body_len;
	uint8_t body[SHIPPER_ANSWER_MAX];
};

/* url and ca_file (may be NULL) into start, with version and parent; ERR_LIMIT
 * when one is too long. */
int shipper_start_init(struct shipper_start *start, const char *url,
    const char *ca_file, struct errmsg *msg);

/* Where the program is: beside this one, or installed.  -ENOENT and a name:
 * where it should be.  The caller frees. */
int shipper_find(char **program, struct errmsg *msg);

/* In a child: becomes the program, sends it start, and lets it inherit the
 * descriptors that start names, 1 and 2.  Returns only when that fails. */
int shipper_exec(
    const char *program, const struct shipper_start *start, struct errmsg *msg);

/* In the program: takes the message from standard input. */
int shipper_receive(struct shipper_start *start, struct errmsg *msg);

/* Starts it for one SHIPPER_POST and waits for its answer. */
int shipper_ask(const struct shipper_start *start,
    struct shipper_answer *answer, struct errmsg *msg);
