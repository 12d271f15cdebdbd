/* SPDX-License-Identifier: ISC */
/* The lines of a table, whatever packed it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "probes/cli/spike-rows.h"
#include "probes/sensor/file/capture-input.h"

struct spike_source {
	struct capture_input input;
	struct errmsg why; /* it could not be read */
	int err;
};

static ssize_t read_source(void *cookie, char *to, size_t len)
{
	struct spike_source *s = cookie;
	int n = input_fill(&s->input, 1, &s->why);
	if (n < 0) {
		s->err = n;
		errno = EIO;
		return -1;
	}
	size_t left = input_left(&s->input);
	len = len < left ? len : left;
	memcpy(to, input_octets(&s->input), len);
	s->input.at += len;
	return (ssize_t)len;
}

int spike_file_open(
    struct spike_file *file, const char *path, struct errmsg *msg)
{
	static const cookie_io_functions_t functions = { .read = read_source };
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO)
					: open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(
		    msg, -errno, "%.150s: %s", path, err_str(-errno));
	file->source = xcalloc(1, sizeof(*file->source));
	input_init(&file->source->input, fd, false, false);
	file->f = fopencookie(file->source, "r", functions);
	if (!file->f)
		BUG("fopencookie: %s", err_str(-errno));
	return 0;
}

int spike_file_close(struct spike_file *file, struct errmsg *msg)
{
	struct spike_source *s = file->source;
	int err = s->err;
	if (err)
		err_set(msg, err, "%s", s->why.text);
	fclose(file->f);
	close(s->input.fd);
	input_fini(&s->input);
	free(s);
	return err;
}
