/* SPDX-License-Identifier: ISC */
/* seccomp-pack: the filters of all roles as C, for the build. */
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "probes/sandbox/seccomp-rules.h"

/* What fits into a pipe that nobody reads yet. */
#define FILTER_MOST 4096

static int print_filter(enum sandbox_role role)
{
	struct sock_filter code[FILTER_MOST];
	int ends[2];
	if (pipe(ends) != 0)
		return -1;
	int err = seccomp_rules_write(role, ends[1]);
	close(ends[1]);
	ssize_t n = err ? -1 : read(ends[0], code, sizeof(code));
	close(ends[0]);
	if (n <= 0)
		return -1;
	printf("static struct sock_filter role%d[] = {\n", (int)role);
	for (size_t i = 0; i < (size_t)n / sizeof(*code); i++)
		printf("\t{ %u, %u, %u, %uu },\n", code[i].code, code[i].jt,
		    code[i].jf, code[i].k);
	printf("};\n");
	return 0;
}

int main(void)
{
	printf("#include \"probes/sandbox/layers.h\"\n");
	for (int role = 0; role < SANDBOX_ROLES; role++)
		if (print_filter((enum sandbox_role)role) != 0) {
			fprintf(stderr, "seccomp-pack: no filter of role %d\n",
			    role);
			return 1;
		}
	printf("const struct sock_fprog seccomp_filters[] = {\n");
	for (int role = 0; role < SANDBOX_ROLES; role++)
		printf("\t{ sizeof(role%d) / sizeof(*role%d), role%d },\n",
		    role, role, role);
	printf("};\n");
	return fflush(stdout) == 0 ? 0 : 1;
}
