/* SPDX-License-Identifier: ISC */
/*
 * One run of one script: Lua 5.4 in a process of its own, with one socket to
 * the guardian and one pipe for records.  The process is the sandbox; Lua is
 * a convenience inside it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/option/option.h"
#include "lib/record/result.h"

/* A script's own description, read from the table it returns: what `sonde
 * help NAME`, `sonde scripts` and option parsing need. */
struct script_field {
	char *name, *type, *help;
};
struct script {
	char *name, *path; /* owned */
	char *source;      /* owned */
	size_t source_len;
	/* The same as code, of a script that came with the program; borrowed;
	 * NULL: there is the text alone.  Never from a file. */
	const uint8_t *code;
	size_t code_len;
	struct option_table options; /* summary, examples, rows, operands */
	bool operands_are_hosts;     /* names are resolved before the run */
	struct script_field *fields;
	size_t field_count;
	struct result_schema *results; /* its tables; owned, NULL: none */
	/* rows and strings inside are owned by the script */
	char **strings;
	size_t string_count;
};

/* Finds "trace" among the shipped scripts ($SONDE_SCRIPTS, then the data
 * folder, then probes/scripts) or reads a path that has a '/' or ends in
 * .lua.  The header is one that was read at build time (shipped.h), or is read
 * in a forked, sandboxed child: a script is never run in the caller's process.
 */
int script_load(struct script **script, const char *name_or_path,
    bool allow_weak_sandbox, struct errmsg *msg);
void script_free(struct script *script);
/* Names of the shipped scripts; free each and the array. */
int script_list(char ***names, size_t *count, struct errmsg *msg);

struct worker_config {
	const struct script *script;
	const char *const *arguments; /* options and operands as typed; a host
					 is ADDRESS or ADDRESS=NAME */
	size_t argument_count;
	int operand_fd;       /* SOCK_SEQPACKET: more operands in datagrams of
				 words with a NUL behind each, until its end;
				 -1: none */
	size_t operand_count; /* how many will come; 0: many, or not known */
	int guardian_fd;      /* SOCK_SEQPACKET, probes/guardian/wire.h */
	int record_fd;        /* where records go: be32 length + packed Record;
				 each write holds whole frames and is at most
				 PRODUCER_DATAGRAM_BYTES: a pipe or a
				 SOCK_SEQPACKET socket */
	int log_fd;           /* the script's log, one line each; -1: none */
	const char *vantage;  /* its name in a simulated network, or NULL */
	uint8_t campaign[16];
	bool has_campaign;
	uint64_t run;
	int64_t deadline_ns; /* real time from now on; 0: none.  The worker
				ends itself then, the parent kills later */
	bool allow_weak_sandbox;
	bool streams_operands; /* launch_worker: operands come by operand_fd */
	bool previews;         /* record_fd takes PRODUCER_PREVIEW frames too */
	bool says_end; /* log_fd gets WORKER_END and the exit code, two octets
			  behind all records, so that nobody need wait for the
			  process; not when it fails */
};

#define WORKER_END 0 /* no line of a log begins with it and ends at once */

/* Runs in the forked child: enters the sandbox, runs the script, and _exits
 * with 0, 1 (the script found a problem), or an err_exit_code.  The reason
 * for a failure is the last line on log_fd; of a campaign's run it is a log
 * record of level 0, except when its time was over (75).  SIGTERM asks the
 * script to end and record what it has.  The child's other descriptors must be
 * closed. */
_Noreturn void worker_main(const struct worker_config *config);

/* /dev/null for 0 to 2, and nothing open but these. */
void worker_close_others(const int *fds, size_t count);
#ifdef __SANITIZE_ADDRESS__
#define WORKER_KEEPS_STDERR true /* for its reports */
#else
#define WORKER_KEEPS_STDERR false
#endif
