/* SPDX-License-Identifier: ISC */
/*
 * Errors.  A function that can fail returns 0 or a negative value: an errno,
 * negated, or one of the codes below.  Detail for a human goes into the
 * caller's struct errmsg as "where: what, expected, got".  Libraries never
 * print and never exit.
 */
#pragma once

#include <stddef.h>

enum err {
	ERR_OK = 0,
	ERR_TRUNCATED = -1000,   /* the input ends before its own length */
	ERR_MALFORMED = -1001,   /* the input contradicts its format */
	ERR_LIMIT = -1002,       /* larger than we are willing to take */
	ERR_UNSUPPORTED = -1003, /* well-formed, but not something we do */
	ERR_USAGE = -1004,       /* the user asked for something impossible */
	ERR_CONFIG = -1005,      /* a configuration file is wrong */
	ERR_DENIED = -1006,      /* refused by policy */
	ERR_CORRUPT = -1007,     /* stored bytes fail their checksum */
	ERR_GAP = -1008,    /* a sequence number is above the expected one */
	ERR_FORKED = -1009, /* same sequence numbers, other bytes */
	ERR_UNKNOWN_AGENT = -1010, /* no such agent, or its key is revoked */
	ERR_SIGNATURE = -1011,     /* a signature does not verify */
	ERR_UNAVAILABLE = -1012,   /* the other side cannot be reached now */
	ERR_EOF = -1013,           /* no more input, not a failure */
	ERR_NOT_FOUND = -1014,     /* no such thing */
	ERR_SANDBOX = -1015,       /* a layer of isolation is missing */
};

/* Why a call failed, in words; text is always terminated. */
struct errmsg {
	char text[256];
};

/* A short lower-case phrase for a code of either kind; never NULL. */
const char *err_str(int code);

/* Formats into msg (may be NULL) and returns code, so that a failing path
 * reads `return err_set(msg, ERR_MALFORMED, "line %d: ...", n);`. */
int err_set(struct errmsg *msg, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before what msg holds; msg may be NULL. */
void err_prefix(struct errmsg *msg, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The process exit code that goes with an error (sysexits; sonde(1) lists
 * them): 0, 2 usage, 69 unavailable, 70 internal, 74 I/O, 75 try later,
 * 77 no permission, 78 config. */
int err_exit_code(int code);

/* A broken invariant of ours: logs where and aborts.  Never for bad input. */
#define BUG(...) bug_abort(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void bug_abort(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
