/* SPDX-License-Identifier: ISC */
/*
 * The command `sonde`: any script by its name, or a subcommand.  Common
 * options may stand before the word too: `sonde --net sim:FILE trace HOST`.
 * It links only what a measurement needs; sonde-commands has the rest.
 */
#include <cap-ng.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/base/stdio-fds.h"
#include "lib/base/xalloc.h"
#include "probes/cli/command.h"
#include "probes/cli/measure.h"
#include "probes/ipc/process.h"
#include "probes/script/shipped.h"

static bool is_command(const char *word)
{
#define NAME(name) #name,
	static const char *const names[] = { COMMANDS(NAME) };
#undef NAME
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], word) == 0)
			return true;
	return false;
}

static bool is_script(const char *word)
{
	char **scripts;
	size_t count;
	bool found = false;
	script_list(&scripts, &count, NULL);
	for (size_t i = 0; i < count; i++) {
		found = found || strcmp(scripts[i], word) == 0;
		free(scripts[i]);
	}
	free(scripts);
	return found;
}

/* Options alone: of what? */
static int no_word(const char *option)
{
	if (!measure_option_is_common(option))
		fprintf(stderr,
		    "sonde: %.60s: unknown option; `sonde --help` "
		    "lists what there is\n",
		    option);
	else
		fprintf(stderr,
		    "sonde: expected a command or a script after "
		    "%.60s, as in `sonde %.60s trace HOST`\n",
		    option, option);
	return err_exit_code(ERR_USAGE);
}

/* What the file of `sonde` was granted (setcap) goes on to the commands that
 * capture and that look for what was granted. */
static void keep_rights(const char *word)
{
	static const int rights[] = { CAP_NET_RAW, CAP_NET_ADMIN };
	if ((strcmp(word, "sensor") != 0 && strcmp(word, "doctor") != 0) ||
	    geteuid() == 0 || capng_get_caps_process() != 0)
		return;
	for (size_t i = 0; i < sizeof(rights) / sizeof(*rights); i++)
		if (capng_have_capability(CAPNG_PERMITTED, rights[i]))
			capng_update(
			    CAPNG_ADD, CAPNG_INHERITABLE, (unsigned)rights[i]);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return;
	for (size_t i = 0; i < sizeof(rights) / sizeof(*rights); i++)
		prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, rights[i], 0, 0);
}

/* Returns only when it cannot. */
static int become_commands(const char *word, char **argv)
{
	struct errmsg msg = { "" };
	char *program;
	int err = process_find(&program, "sonde-commands", &msg);
	if (!err) {
		keep_rights(word);
		execv(program, argv);
		err = err_set(
		    &msg, -errno, "%.200s: %s", program, strerror(errno));
		free(program);
	}
	return command_fail(word, err, &msg);
}

static int dispatch(int argc, char **argv)
{
	int at = measure_reorder(argc, argv);
	if (at >= argc && argc > 1)
		return no_word(argv[1]);
	const char *word = at < argc ? argv[at] : "--help";
	if (strcmp(word, "--version") == 0) {
		puts("sonde " SONDE_VERSION);
		return 0;
	}
	if (strcmp(word, command_run.name) == 0)
		return command_run.run(argc - at, argv + at);
	if (!is_command(word) && is_script(word))
		return measure_main(word, argc - at, argv + at);
	return become_commands(word, argv);
}

/* What was printed must also have been written. */
int main(int argc, char **argv)
{
	if (standard_fds_open() != 0)
		return err_exit_code(-EIO);
	shipped_use(shipped_headers, shipped_header_count, shipped_codes);
	int code = dispatch(argc, argv);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr, "sonde: output: cannot be written\n");
	return code ? code : err_exit_code(-EIO);
}
