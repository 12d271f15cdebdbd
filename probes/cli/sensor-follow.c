/* SPDX-License-Identifier: ISC */
/*
 * By looking at names, not by inotify: capture files lie on network file
 * systems as well, and a look costs a stat.  A file that is emptied and has
 * grown beyond its old length between two looks is not noticed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "probes/cli/sensor-follow.h"
#include "probes/ipc/fd-pass.h"
#include "probes/sensor/capture-replay.h"

struct followed {
	const char *path;
	char *name;      /* that it has now: path, path1, path2, ... */
	unsigned number; /* behind the path; 0: none */
	struct stat latest;
};

struct sensor_follow {
	struct followed *files;
	size_t count;
};

struct sensor_follow *sensor_follow_new(
    struct capture *const *captures, size_t count)
{
	struct sensor_follow *f = xcalloc(1, sizeof(*f));
	f->files = xcalloc(count, sizeof(*f->files));
	f->count = count;
	for (size_t i = 0; i < count; i++) {
		struct followed *file = &f->files[i];
		file->path = capture_name(captures[i]);
		file->name = xstrdup(file->path);
		if (fstat(capture_fd(captures[i]), &file->latest) != 0)
			file->latest = (struct stat){ 0 };
	}
	return f;
}

void sensor_follow_free(struct sensor_follow *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->count; i++)
		free(f->files[i].name);
	free(f->files);
	free(f);
}

static bool hand_over(
    struct followed *file, const char *name, uint32_t index, int socket_fd)
{
	struct replay_successor which = { index };
	struct stat st;
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool done = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    pass_send(socket_fd, fd, &which, sizeof(which)) == 0;
	if (done)
		file->latest = st;
	if (fd >= 0)
		close(fd);
	return done;
}

static bool is_replaced(const struct stat *was, const struct stat *is)
{
	return was->st_ino != is->st_ino || was->st_dev != is->st_dev ||
	    is->st_size < was->st_size;
}

static bool is_earlier(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_sec < b->st_mtim.tv_sec ||
	    (a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
		a->st_mtim.tv_nsec < b->st_mtim.tv_nsec);
}

/* tcpdump -C closes FILE and opens FILE1; an older file of that name is of an
 * earlier capture. */
static void look_for_next(struct followed *file, uint32_t index, int socket_fd)
{
	struct stat st;
	char *next = xasprintf("%s%u", file->path, file->number + 1);
	if (stat(next, &st) == 0 && S_ISREG(st.st_mode) &&
	    !is_earlier(&st, &file->latest) &&
	    hand_over(file, next, index, socket_fd)) {
		free(file->name);
		file->name = next;
		file->number++;
		return;
	}
	free(next);
}

void sensor_follow_look(struct sensor_follow *f, int socket_fd)
{
	for (uint32_t i = 0; i < f->count; i++) {
		struct followed *file = &f->files[i];
		struct stat st;
		bool there = stat(file->name, &st) == 0;
		if (there && is_replaced(&file->latest, &st)) {
			hand_over(file, file->name, i, socket_fd);
			continue;
		}
		if (there)
			file->latest = st;
		look_for_next(file, i, socket_fd);
	}
}
