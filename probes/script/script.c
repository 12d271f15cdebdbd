/* SPDX-License-Identifier: ISC */
/*
 * Scripts as files: where they are looked for, and their headers, which a
 * forked and sandboxed child reads, because reading one means running it. Those
 * of scripts that are as they came were read when the program was built.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/reader.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "probes/sandbox/sandbox.h"
#include "probes/script/header.h"
#include "probes/script/shipped.h"
#include "probes/script/state.h"
#include "probes/script/watch.h"

#define HEADER_MAX_BYTES (256u << 10)
#define HEADER_DEADLINE_NS (2 * NS_PER_S)

/* The folder of scripts beside the build that this program is in; NULL when
 * it is installed.  The caller frees. */
static char *build_folder(void)
{
	char exe[512];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n <= 0)
		return NULL;
	exe[n] = '\0';
	for (int up = 0; up < 6; up++) {
		char *slash = strrchr(exe, '/');
		if (!slash)
			return NULL;
		*slash = '\0';
		char *folder = xasprintf("%s/probes/scripts", exe);
		if (access(folder, R_OK) == 0)
			return folder;
		free(folder);
	}
	return NULL;
}

/* $SONDE_SCRIPTS, the build's folder, the installed one; NULL at the end. */
static char *folder_at(int i)
{
	const char *own = getenv("SONDE_SCRIPTS");
	if (i == 0)
		return own ? xstrdup(own) : xstrdup("");
	if (i == 1) {
		char *build = build_folder();
		return build ? build : xstrdup("");
	}
	return i == 2 ? xstrdup(SONDE_DATADIR "/scripts") : NULL;
}

static bool is_script_name(const char *name)
{
	size_t len = 0;
	for (; isalnum((unsigned char)name[len]) || name[len] == '-' ||
	     name[len] == '_';)
		len++;
	return len > 0 && len < 64 && name[len] == '\0';
}

static bool is_path(const char *name)
{
	size_t len = strlen(name);
	return strchr(name, '/') ||
	    (len > 4 && strcmp(name + len - 4, ".lua") == 0);
}

/* The path of a shipped script, or NULL. */
static char *find_shipped(const char *name)
{
	char *folder;
	for (int i = 0; (folder = folder_at(i)); i++) {
		char *path = xasprintf("%s/%s.lua", folder, name);
		bool there = *folder && access(path, R_OK) == 0;
		free(folder);
		if (there)
			return path;
		free(path);
	}
	return NULL;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_add(char ***names, size_t *count, const char *file)
{
	size_t len = strlen(file);
	if (len <= 4 || strcmp(file + len - 4, ".lua") != 0)
		return;
	char *name = xstrndup(file, len - 4);
	bool good = is_script_name(name);
	for (size_t i = 0; i < *count && good; i++)
		good = strcmp((*names)[i], name) != 0;
	if (!good) {
		free(name);
		return;
	}
	VEC_ROOM(*names, *count);
	(*names)[(*count)++] = name;
}

int script_list(char ***names, size_t *count, struct errmsg *msg)
{
	char *folder;
	bool any = false;
	*names = NULL;
	*count = 0;
	for (int i = 0; (folder = folder_at(i)); i++) {
		DIR *d = *folder ? opendir(folder) : NULL;
		any = any || d;
		for (struct dirent *e; d && (e = readdir(d));)
			list_add(names, count, e->d_name);
		if (d)
			closedir(d);
		free(folder);
	}
	if (!any)
		return err_set(msg, ERR_NOT_FOUND,
		    "no folder of scripts: looked in $SONDE_SCRIPTS and %s",
		    SONDE_DATADIR "/scripts");
	if (*count > 0)
		qsort(*names, *count, sizeof(**names), compare_names);
	return 0;
}

static int read_source(struct script *s, struct errmsg *msg)
{
	FILE *f = fopen(s->path, "re");
	if (!f)
		return err_set(
		    msg, -errno, "%.180s: %s", s->path, strerror(errno));
	s->source = xmalloc(HOST_SOURCE_MAX + 1);
	s->source_len = fread(s->source, 1, HOST_SOURCE_MAX + 1, f);
	int err = ferror(f) ? -EIO : 0;
	fclose(f);
	if (err)
		return err_set(msg, err, "%.180s: %s", s->path, err_str(err));
	if (s->source_len > HOST_SOURCE_MAX)
		return err_set(msg, ERR_LIMIT,
		    "%.180s: a script has at most %u KiB", s->path,
		    HOST_SOURCE_MAX >> 10);
	return 0;
}

static void weak_hint(int err, struct errmsg *msg)
{
	struct errmsg why = *msg;
	err_set(
	    msg, err, "%.210s; --allow-weak-sandbox goes on without", why.text);
}

/* The child: octets are 'h' and the header, or 'e' and what is wrong. */
static _Noreturn void header_child(
    const struct script *s, bool allow_weak, int fd)
{
	struct errmsg msg = { "" };
	struct host host = { .client = { .fd = -1 } };
	struct buf b = { 0 };
	worker_close_others((int[]){ fd }, 1);
	watch_start(-1, monotime_add(monotime_now(), HEADER_DEADLINE_NS),
	    HEADER_DEADLINE_NS);
	int err = sandbox_enter(SANDBOX_WORKER, NULL, NULL, &msg);
	if (err && allow_weak)
		err = 0;
	else if (err)
		weak_hint(err, &msg);
	if (!err && !host_state_new(&host))
		err = err_set(&msg, -ENOMEM, "no memory for Lua");
	if (!err)
		err = host_run_chunk(
		    &host, s->source, s->source_len, s->path, &msg);
	buf_u8(&b, 'h');
	if (!err)
		err = header_write(host.L, &b, &msg);
	if (err) {
		buf_clear(&b);
		buf_u8(&b, 'e');
		buf_be32(&b, (uint32_t)err);
		buf_bytes(&b, msg.text, strlen(msg.text));
	}
	_exit(write_all(fd, b.data, b.len) == 0 ? 0 : 1);
}

/* Everything that comes through fd in time. */
static int read_header(int fd, struct buf *b)
{
	struct monotime end =
	    monotime_add(monotime_now(), HEADER_DEADLINE_NS + NS_PER_S);
	for (;;) {
		int64_t left_ms =
		    monotime_diff(end, monotime_now()) / NS_PER_MS;
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (left_ms <= 0 || b->len > HEADER_MAX_BYTES)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)left_ms) <= 0)
			continue;
		uint8_t block[4096];
		ssize_t n = read(fd, block, sizeof(block));
		if (n == 0)
			return 0;
		if (n > 0)
			buf_bytes(b, block, (size_t)n);
		else if (errno != EINTR)
			return -errno;
	}
}

static int parse_header(
    struct script *s, const struct buf *b, struct errmsg *msg)
{
	struct reader r = reader_init(b->data, b->len);
	uint8_t kind = reader_u8(&r);
	if (kind == 'h')
		return header_read(s, r.pos, reader_left(&r), msg);
	int err = (int)reader_be32(&r);
	if (kind != 'e' || r.err || err >= 0)
		return err_set(msg, ERR_MALFORMED,
		    "the script crashed, or did not end within %d s, while "
		    "its header was read",
		    (int)(HEADER_DEADLINE_NS / NS_PER_S));
	size_t len = reader_left(&r);
	char text[200];
	snprintf(text, sizeof(text), "%.*s", (int)(len < 199 ? len : 199),
	    (const char *)r.pos);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	return err_set(msg, err, "%s", text);
}

static int ask_child(struct script *s, bool allow_weak, struct errmsg *msg)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_set(msg, -errno, "pipe: %s", strerror(errno));
	pid_t pid = fork();
	if (pid == 0)
		header_child(s, allow_weak, fds[1]);
	int err = pid < 0 ? -errno : 0;
	close(fds[1]);
	struct buf b = { 0 };
	if (!err) {
		read_header(fds[0], &b);
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		err = parse_header(s, &b, msg);
	}
	close(fds[0]);
	buf_fini(&b);
	return err;
}

static int load_header(struct script *s, bool allow_weak, struct errmsg *msg)
{
	const struct shipped_header *known =
	    shipped_find(s->source, s->source_len);
	if (!known)
		return ask_child(s, allow_weak, msg);
	const char *slash = strrchr(s->path, '/');
	if (known->code &&
	    strcmp(slash ? slash + 1 : s->path, known->name) == 0) {
		s->code = known->code;
		s->code_len = known->code_len;
	}
	return header_read(s, known->bytes, known->len, msg);
}

static char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = xstrdup(slash ? slash + 1 : path);
	size_t len = strlen(name);
	if (len > 4 && strcmp(name + len - 4, ".lua") == 0)
		name[len - 4] = '\0';
	return name;
}

int script_load(struct script **script, const char *name_or_path,
    bool allow_weak_sandbox, struct errmsg *msg)
{
	struct script *s = xcalloc(1, sizeof(*s));
	*script = NULL;
	if (is_path(name_or_path))
		s->path = xstrdup(name_or_path);
	else if (is_script_name(name_or_path))
		s->path = find_shipped(name_or_path);
	if (!s->path) {
		script_free(s);
		return err_set(msg, ERR_NOT_FOUND,
		    "no script is called '%.60s'", name_or_path);
	}
	s->name = base_name(s->path);
	int err = read_source(s, msg);
	if (!err) {
		err = load_header(s, allow_weak_sandbox, msg);
		if (err)
			err_prefix(msg, "%.120s", s->path);
	}
	if (err) {
		script_free(s);
		return err;
	}
	/* As it can be typed: a file is not found by its bare name. */
	s->options.program = is_path(name_or_path)
	    ? xasprintf("sonde run %s", name_or_path)
	    : xasprintf("sonde %s", s->name);
	*script = s;
	return 0;
}

void script_free(struct script *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->string_count; i++)
		free(s->strings[i]);
	free(s->strings);
	free((void *)s->options.rows);
	free((void *)s->options.program);
	result_schema_free(s->results);
	free(s->fields);
	free(s->source);
	free(s->name);
	free(s->path);
	free(s);
}
