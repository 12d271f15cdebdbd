/* SPDX-License-Identifier: ISC */
/*
 * Says what the policy says, for policy.py to compare with its own opinion.
 * usage: policy-print FILE            lines "local|remote ADDRESS FLAGS" on
 *                                     standard input (o: own, b: broadcast)
 *        policy-print FILE WHO STEP   every STEP-th IPv4 address, as runs
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probes/policy/policy-file.h"

static void sweep(
    const struct policy *policy, enum policy_who who, uint64_t step)
{
	int last = -1;
	for (uint64_t a = 0; a <= UINT32_MAX; a += step) {
		struct addr dst = addr_v4((uint32_t)a);
		int verdict =
		    policy_check_address(policy, who, &dst, false, false);
		if (verdict != last)
			printf("%lu %s\n", a, policy_reason_name(verdict));
		last = verdict;
	}
}

static void answer(const struct policy *policy)
{
	char line[128], who[8], text[64], flags[8];
	while (fgets(line, sizeof(line), stdin)) {
		struct addr dst;
		*flags = '\0';
		if (sscanf(line, "%7s %63s %7s", who, text, flags) < 2 ||
		    addr_parse(&dst, text) != 0) {
			puts("unreadable");
			continue;
		}
		puts(policy_reason_name(policy_check_address(policy,
		    *who == 'l' ? POLICY_LOCAL : POLICY_REMOTE, &dst,
		    strchr(flags, 'o'), strchr(flags, 'b'))));
	}
}

int main(int argc, char **argv)
{
	struct policy policy;
	struct errmsg msg;
	policy_init(&policy);
	if (argc < 2 || policy_load(&policy, argv[1], &msg) != 0) {
		fprintf(stderr, "policy-print: %s\n",
		    argc < 2 ? "which file?" : msg.text);
		return 2;
	}
	if (argc == 4)
		sweep(&policy, *argv[2] == 'l' ? POLICY_LOCAL : POLICY_REMOTE,
		    strtoull(argv[3], NULL, 10));
	else
		answer(&policy);
	policy_fini(&policy);
	return 0;
}
