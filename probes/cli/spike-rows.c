/* SPDX-License-Identifier: ISC */
/*
 * A row is a line.  The first line is a header when its first field is no
 * time: a header with the words time, source and signature says where they
 * are, any other leaves time and source in front and no signature.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "probes/cli/spike-rows.h"

enum { FIELDS_MOST = 32, NONE = FIELDS_MOST };

struct spike_rows {
	bool begun;
	size_t time, source, signature; /* columns; NONE: no such */
	json_t *json;                   /* of the last row; owned */
};

struct spike_rows *spike_rows_new(void)
{
	struct spike_rows *rows = xcalloc(1, sizeof(*rows));
	rows->source = 1;
	rows->signature = 2;
	return rows;
}

void spike_rows_free(struct spike_rows *rows)
{
	if (!rows)
		return;
	json_decref(rows->json);
	free(rows);
}

/* Splits in place; quotes around a field go, "" inside them is a quote. */
static size_t fields_split(char *line, char *fields[FIELDS_MOST])
{
	size_t count = 0;
	char *from = line;
	for (;;) {
		char *to = from;
		if (count < FIELDS_MOST)
			fields[count++] = from;
		bool quoted = *from == '"';
		if (quoted)
			from++;
		while (*from && (quoted || *from != ',')) {
			if (quoted && *from == '"' && from[1] != '"') {
				quoted = false;
				from++;
				continue;
			}
			from += quoted && *from == '"';
			*to++ = *from++;
		}
		bool more = *from == ',';
		from++;
		*to = '\0';
		if (!more)
			return count;
	}
}

static int unix_seconds(struct walltime *when, double seconds)
{
	if (!(seconds >= 0 && seconds < 9e9))
		return ERR_MALFORMED;
	int64_t whole = (int64_t)seconds;
	when->ns =
	    whole * NS_PER_S + (int64_t)((seconds - (double)whole) * 1e9);
	return 0;
}

static int time_parse(struct walltime *when, const char *text)
{
	if (*text && strspn(text, "0123456789.") == strlen(text)) {
		char *end;
		double seconds = strtod(text, &end);
		return *end ? ERR_MALFORMED : unix_seconds(when, seconds);
	}
	return walltime_parse(when, text);
}

static size_t column_find(char *const *fields, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(fields[i], name) == 0)
			return i;
	return NONE;
}

static void header_take(
    struct spike_rows *rows, char *const *fields, size_t count)
{
	size_t time = column_find(fields, count, "time");
	size_t source = column_find(fields, count, "source");
	if (time != NONE && source != NONE) {
		rows->time = time;
		rows->source = source;
	}
	rows->signature = column_find(fields, count, "signature");
}

static int csv_parse(struct spike_rows *rows, char *line, bool first,
    struct spike_row *row, struct errmsg *msg)
{
	char *fields[FIELDS_MOST];
	size_t count = fields_split(line, fields);
	if (first && time_parse(&row->when, fields[0]) != 0) {
		header_take(rows, fields, count);
		return ERR_NOT_FOUND;
	}
	if (count <= rows->time || count <= rows->source)
		return err_set(msg, ERR_MALFORMED,
		    "expected time and source, got %zu field%s", count,
		    count == 1 ? "" : "s");
	if (time_parse(&row->when, fields[rows->time]) != 0)
		return err_set(msg, ERR_MALFORMED,
		    "expected a time such as 2011-01-01 00:01:43, got '%.60s'",
		    fields[rows->time]);
	row->source = fields[rows->source];
	row->signature = rows->signature < count && *fields[rows->signature]
	    ? fields[rows->signature]
	    : NULL;
	return 0;
}

static int json_parse(struct spike_rows *rows, const char *line,
    struct spike_row *row, struct errmsg *msg)
{
	json_error_t error;
	json_decref(rows->json);
	rows->json = json_loads(line, 0, &error);
	if (!rows->json)
		return err_set(msg, ERR_MALFORMED, "JSON: %s", error.text);
	json_t *when = json_object_get(rows->json, "time");
	int err = json_is_string(when)
	    ? time_parse(&row->when, json_string_value(when))
	    : unix_seconds(&row->when,
		  json_is_number(when) ? json_number_value(when) : -1);
	if (err)
		return err_set(msg, ERR_MALFORMED,
		    "expected a \"time\" such "
		    "as \"2011-01-01T00:01:43Z\"");
	row->source = json_string_value(json_object_get(rows->json, "source"));
	row->signature =
	    json_string_value(json_object_get(rows->json, "signature"));
	return 0;
}

int spike_rows_parse(struct spike_rows *rows, char *line, struct spike_row *row,
    struct errmsg *msg)
{
	line[strcspn(line, "\r\n")] = '\0';
	line += strspn(line, " \t");
	if (!*line)
		return ERR_NOT_FOUND;
	bool first = !rows->begun;
	rows->begun = true;
	int err = *line == '{' ? json_parse(rows, line, row, msg)
			       : csv_parse(rows, line, first, row, msg);
	if (!err && (!row->source || !*row->source))
		err = err_set(msg, ERR_MALFORMED, "expected a source");
	return err;
}

static bool is_gzip(int fd)
{
	unsigned char magic[2];
	return pread(fd, magic, 2, 0) == 2 && magic[0] == 0x1f &&
	    magic[1] == 0x8b;
}

/* fd becomes the reading end of `gzip -dc <fd`. */
static int gzip_start(int *fd, pid_t *pid)
{
	static const char *const argv[] = { "gzip", "-dc", NULL };
	posix_spawn_file_actions_t actions;
	int pipe_fds[2];
	if (pipe2(pipe_fds, O_CLOEXEC) != 0)
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, *fd, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
	int err = -posix_spawnp(
	    pid, "gzip", &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pipe_fds[1]);
	if (err) {
		close(pipe_fds[0]);
		return err;
	}
	close(*fd);
	*fd = pipe_fds[0];
	return 0;
}

int spike_file_open(
    struct spike_file *file, const char *path, struct errmsg *msg)
{
	*file = (struct spike_file){ .f = stdin };
	if (strcmp(path, "-") == 0)
		return 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = fd < 0 ? -errno : 0;
	if (!err && is_gzip(fd))
		err = gzip_start(&fd, &file->gzip);
	if (err) {
		if (fd >= 0)
			close(fd);
		return err_set(msg, err, "%.150s: %s", path, err_str(err));
	}
	file->f = fdopen(fd, "r");
	if (!file->f)
		BUG("fdopen: %s", err_str(-errno));
	return 0;
}

int spike_file_close(struct spike_file *file, struct errmsg *msg)
{
	int status = 0;
	bool failed = ferror(file->f);
	if (file->f != stdin)
		fclose(file->f);
	if (file->gzip)
		while (waitpid(file->gzip, &status, 0) < 0 && errno == EINTR)
			;
	if (failed)
		return err_set(msg, -EIO, "cannot read");
	if (status)
		return err_set(msg, ERR_MALFORMED, "gzip cannot unpack it");
	return 0;
}
