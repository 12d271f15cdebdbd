/* SPDX-License-Identifier: ISC */
/* What `sonde doctor` looks at.  Each check reports one or more findings. */
#pragma once

#include <stdbool.h>

#include "lib/base/err.h"
#include "probes/agent/config/agent-config.h"

enum finding_state { FINDING_OK, FINDING_WARN, FINDING_LACK };

struct check_result {
	const char *area; /* "sandbox", "network", ... */
	const char *what; /* "worker: seccomp" */
	enum finding_state state;
	char detail[256];
	char fix[256]; /* the line that fixes it, or empty */
};
/* Called for each finding; borrowed for the call. */
typedef void finding_fn(void *arg, const struct check_result *finding);

struct doctor {
	const struct agent_config *config; /* NULL: no agent here */
	const char *collector;             /* NULL: none to reach */
	const char *ca_file;
	finding_fn *report;
	void *arg;
};

void doctor_check_sandbox(const struct doctor *doctor);
void doctor_check_rights(const struct doctor *doctor);
void doctor_check_programs(const struct doctor *doctor);
void doctor_check_clock(const struct doctor *doctor);
void doctor_check_interfaces(const struct doctor *doctor);
void doctor_check_disk(const struct doctor *doctor);
void doctor_check_collector(const struct doctor *doctor);
