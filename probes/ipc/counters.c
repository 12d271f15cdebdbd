/* SPDX-License-Identifier: ISC */
/*
 * The shared page of one process: a count and a row of named cells.  Names
 * are written once, before the count that makes them visible, so the reader
 * needs no lock; and as the owner may be taken over by what it parses, the
 * reader bounds the count and cleans the names.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "probes/ipc/counters.h"

struct counters_row {
	char name[COUNTERS_NAME_LEN];
	uint64_t value;
};

struct counters {
	uint32_t count;
	struct counters_row rows[COUNTERS_MAX];
};

static struct counters *map(int flags, int fd)
{
	struct counters *c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE,
	    MAP_SHARED | flags, fd, 0);
	return c == MAP_FAILED ? NULL : c;
}

struct counters *counters_new(void)
{
	struct counters *c = map(MAP_ANONYMOUS, -1);
	if (!c)
		BUG("counters: no memory for a shared page");
	return c;
}

/* A page that its owner could cut short would kill who reads it. */
struct counters *counters_new_fd(int *fd)
{
	struct counters *c = NULL;
	*fd = memfd_create("counters", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd >= 0 && ftruncate(*fd, sizeof(*c)) == 0 &&
	    fcntl(*fd, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		c = map(0, *fd);
	if (!c)
		BUG("counters: no memory for a shared page");
	return c;
}

struct counters *counters_open(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && st.st_size == sizeof(struct counters)
	    ? map(0, fd)
	    : NULL;
}

void counters_free(struct counters *counters)
{
	if (counters)
		munmap(counters, sizeof(*counters));
}

uint64_t *counters_cell(struct counters *counters, const char *name)
{
	static uint64_t unread;
	if (!counters)
		return &unread;
	uint32_t count = counters->count;
	for (uint32_t i = 0; i < count && i < COUNTERS_MAX; i++)
		if (strncmp(counters->rows[i].name, name,
			COUNTERS_NAME_LEN - 1) == 0)
			return &counters->rows[i].value;
	if (count >= COUNTERS_MAX)
		return &unread;
	struct counters_row *row = &counters->rows[count];
	snprintf(row->name, sizeof(row->name), "%s", name);
	__atomic_store_n(&counters->count, count + 1, __ATOMIC_RELEASE);
	return &row->value;
}

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
	    c == '_' || c == '-';
}

bool counters_get(const struct counters *counters, size_t i,
    char name[static COUNTERS_NAME_LEN], uint64_t *value)
{
	uint32_t count = __atomic_load_n(&counters->count, __ATOMIC_ACQUIRE);
	if (i >= count || i >= COUNTERS_MAX)
		return false;
	const struct counters_row *row = &counters->rows[i];
	memcpy(name, row->name, COUNTERS_NAME_LEN);
	name[COUNTERS_NAME_LEN - 1] = '\0';
	for (char *c = name; *c; c++)
		if (!is_name_byte(*c))
			*c = '_';
	*value = __atomic_load_n(&row->value, __ATOMIC_RELAXED);
	return true;
}

void counters_cells(struct counters *counters, const char *group,
    const char *const *names, size_t count, uint64_t **cells)
{
	char name[COUNTERS_NAME_LEN];
	for (size_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s.%s", group,
		    names[i] ? names[i] : "");
		cells[i] = counters_cell(names[i] ? counters : NULL, name);
	}
}
