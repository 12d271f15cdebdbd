/* SPDX-License-Identifier: ISC */
/*
 * What the sources of frames share.  A source keeps struct capture as its
 * first member.
 */
#pragma once

#include "probes/sensor/capture.h"

struct capture_source {
	int (*read)(struct capture *capture, int count, struct errmsg *msg);
	uint64_t (*dropped)(struct capture *capture);
	void (*close)(struct capture *capture);
	/* Live; NULL: a file. */
	void (*finish)(struct capture *capture);
	size_t (*coverage)(struct capture *capture,
	    struct capture_coverage *coverage, size_t most);
};

struct capture {
	const struct capture_source *source;
	char *name, *filter; /* filter may be NULL */
	int fd;              /* for poll */
	size_t current;      /* interface of the frames that were read last */
	capture_fn *fn;      /* while frames are read */
	void *arg;
};

/* Copies the texts. */
void capture_init(struct capture *capture, const struct capture_source *source,
    const char *name, const struct capture_config *config);
/* "NAME: WHAT" as the message; gives code back. */
int capture_failure(const struct capture *capture, int code, const char *what,
    struct errmsg *msg);
/* ERR_MALFORMED for a link type that is not decoded. */
int capture_check_link(
    const struct capture *capture, int dlt, struct errmsg *msg);
