/* SPDX-License-Identifier: ISC */
/* The first steps of a child: signals, descriptors, sandbox. */
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "probes/ipc/process.h"

static volatile sig_atomic_t asked;
static sigset_t open_mask;

static void on_term(int number)
{
	(void)number;
	asked = 1;
}

static void handle(void (*on_end)(int))
{
	struct sigaction end = { .sa_handler = on_end };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGHUP, &ignore, NULL);
	sigaction(SIGINT, &ignore, NULL);
}

const sigset_t *process_signals(void)
{
	sigset_t term;
	handle(on_term);
	sigemptyset(&open_mask);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_SETMASK, &term, NULL);
	return &open_mask;
}

const volatile sig_atomic_t *process_signals_flag(void)
{
	handle(on_term);
	sigemptyset(&open_mask);
	sigprocmask(SIG_SETMASK, &open_mask, NULL);
	return &asked;
}

void process_signals_end(void)
{
	handle(SIG_DFL);
	sigemptyset(&open_mask);
	sigprocmask(SIG_SETMASK, &open_mask, NULL);
}

bool process_asked_to_end(void)
{
	return asked != 0;
}

int process_enter(enum sandbox_role role, const struct sandbox_paths *paths,
    bool allow_weak, struct errmsg *msg)
{
	int err = sandbox_enter(role, paths, NULL, msg);
	process_rest();
	if (err && allow_weak) {
		log_warn("weak sandbox: %s", msg->text);
		return 0;
	}
	return err;
}

/* Loading a library touches most of its pages, running it few.  What cannot
 * be written is as it was in its file. */
static int give_back(struct dl_phdr_info *object, size_t size, void *arg)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const uintptr_t kernels = getauxval(AT_SYSINFO_EHDR);
	(void)size;
	(void)arg;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &object->dlpi_phdr[i];
		uintptr_t from = object->dlpi_addr + p->p_vaddr;
		uintptr_t to = (from + p->p_memsz + page - 1) & ~(page - 1);
		from &= ~(page - 1);
		if (p->p_type == PT_LOAD && !(p->p_flags & PF_W) &&
		    from != kernels)
			madvise((void *)from, to - from, MADV_DONTNEED);
	}
	return 0;
}

void process_rest(void)
{
	malloc_trim(0);
	dl_iterate_phdr(give_back, NULL);
}

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

void process_keep_fds(int *fds, size_t count)
{
	int next = STDERR_FILENO + 1;
	qsort(fds, count, sizeof(*fds), by_value);
	for (size_t i = 0; i < count; i++) {
		if (fds[i] < next)
			continue;
		if (fds[i] > next)
			close_range((unsigned)next, (unsigned)fds[i] - 1, 0);
		next = fds[i] + 1;
	}
	close_range((unsigned)next, ~0u, 0);
}

/* The folder of this program and below it the place; NULL without /proc. */
static char *near_us(const char *place, const char *program)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n <= 0)
		return NULL;
	exe[n] = '\0';
	char *slash = strrchr(exe, '/');
	if (slash)
		*slash = '\0';
	return xasprintf("%s/%s%s", exe, place, program);
}

int process_find(char **path, const char *program, struct errmsg *msg)
{
	/* In a build tree; where the prefix was moved; where it belongs. */
	char *places[] = { near_us("", program),
		near_us("../libexec/sonde/", program),
		near_us("../../bin/", program),
		xasprintf("%s/sonde/%s", SONDE_LIBEXECDIR, program) };
	*path = NULL;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (!*path && places[i] && access(places[i], X_OK) == 0) {
			*path = places[i];
			continue;
		}
		free(places[i]);
	}
	if (*path)
		return 0;
	return err_set(msg, -ENOENT, "%s/sonde/%s is missing: install it again",
	    SONDE_LIBEXECDIR, program);
}
