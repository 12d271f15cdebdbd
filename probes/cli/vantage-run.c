/* SPDX-License-Identifier: ISC */
/* Names of vantage points, and files without a name for what has to wait. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/xalloc.h"
#include "probes/cli/vantage-run.h"

static void add_run(struct vantage_runs *runs, const char *script,
    const char *file, const char *vantage, size_t len)
{
	struct vantage_run *run = &runs->all[runs->count++];
	*run = (struct vantage_run){ .number = runs->count - 1,
		.records = true,
		.log = true,
		.feed = { .fd = -1, .list = { .fd = -1 } } };
	if (vantage)
		run->vantage = xstrndup(vantage, len);
	if (file && vantage)
		run->spec = xasprintf("%.*s%s",
		    (int)(strrchr(file, '@') + 1 - file), file, run->vantage);
	else if (file)
		run->spec = xstrdup(file);
	run->name = xstrdup(script);
}

/* How many names there are with ',' between; 0: one of them is empty. */
static size_t count_names(const char *list)
{
	size_t count = 1, len = 0;
	for (; *list; list++) {
		len = *list == ',' ? 0 : len + 1;
		count += *list == ',';
		if (*list == ',' && (list[1] == ',' || list[1] == '\0'))
			return 0;
	}
	return len > 0 ? count : 0;
}

int vantage_runs_open(struct vantage_runs *runs, const char *script,
    const struct net_ops *net, const char *spec, struct errmsg *msg)
{
	const char *at = spec && net->join ? strrchr(spec, '@') : NULL;
	const char *list = at ? at + 1 : NULL;
	size_t count = list ? count_names(list) : 1;
	if (count == 0 || (list && *list == ','))
		return err_set(msg, ERR_USAGE,
		    "--net %s: expected names of vantage points with ',' "
		    "between, got '%.60s'",
		    net->name, list);
	if (count > VANTAGE_RUNS_MAX)
		return err_set(msg, ERR_USAGE,
		    "--net %s: expected at most %d vantage points at once, "
		    "got %zu",
		    net->name, VANTAGE_RUNS_MAX, count);
	runs->all = xcalloc(count, sizeof(*runs->all));
	runs->launches = xcalloc(count, sizeof(*runs->launches));
	if (!list)
		add_run(runs, script, spec, NULL, 0);
	for (; list; list = list[0] == ',' ? list + 1 : NULL) {
		size_t len = strcspn(list, ",");
		add_run(runs, script, spec, list, len);
		list += len;
	}
	for (size_t i = 0; i < runs->count && runs->count > 1; i++) {
		struct vantage_run *run = &runs->all[i];
		free(run->name);
		run->name = xasprintf("%s@%s", script, run->vantage);
		run->titled = true;
	}
	return 0;
}

void vantage_runs_fini(struct vantage_runs *runs)
{
	for (size_t i = 0; i < runs->count; i++) {
		struct vantage_run *run = &runs->all[i];
		target_feed_fini(&run->feed);
		if (run->kept)
			fclose(run->kept);
		free(run->name);
		free(run->vantage);
		free(run->spec);
	}
	free(runs->all);
	free(runs->launches);
	*runs = (struct vantage_runs){ 0 };
}

bool vantage_runs_can_read(const char *path)
{
	struct stat st;
	return strcmp(path, "-") != 0 &&
	    (stat(path, &st) != 0 || S_ISREG(st.st_mode));
}

bool vantage_runs_wants(const struct vantage_runs *runs, struct pollfd *p)
{
	bool wants = false;
	for (size_t i = 0; i < runs->count; i++, p += 2 + TARGET_FEED_FDS) {
		const struct vantage_run *run = &runs->all[i];
		const struct launch *launch = &runs->launches[i];
		p[0] = (struct pollfd){ run->records ? launch->record_fd : -1,
			POLLIN, 0 };
		p[1] = (struct pollfd){ run->log ? launch->log_fd : -1, POLLIN,
			0 };
		target_feed_wants(&run->feed, p + 2);
		wants |= run->records || run->log;
	}
	return wants;
}

static int file_error(struct errmsg *msg)
{
	int err = errno ? -errno : -EIO;
	return err_set(msg, err,
	    "records that wait for others' cannot be kept: %s", strerror(-err));
}

int vantage_run_keep(struct vantage_run *run, const uint8_t *bytes, size_t len,
    struct errmsg *msg)
{
	errno = 0;
	if (!run->kept)
		run->kept = tmpfile();
	if (!run->kept || fwrite(&len, sizeof(len), 1, run->kept) != 1 ||
	    fwrite(bytes, 1, len, run->kept) != len)
		return file_error(msg);
	return 0;
}

int vantage_run_replay(struct vantage_run *run, vantage_record_fn *fn,
    void *arg, struct errmsg *msg)
{
	size_t len;
	errno = 0;
	if (!run->kept)
		return 0;
	if (fflush(run->kept) != 0 || fseek(run->kept, 0, SEEK_SET) != 0)
		return file_error(msg);
	while (fread(&len, sizeof(len), 1, run->kept) == 1) {
		uint8_t *bytes = xmalloc(len);
		bool whole = fread(bytes, 1, len, run->kept) == len;
		if (whole)
			fn(arg, bytes, len);
		free(bytes);
		if (!whole)
			return file_error(msg);
	}
	fclose(run->kept);
	run->kept = NULL;
	return 0;
}

void vantage_run_title(
    const struct vantage_run *run, const struct format_ops *format)
{
	if (run->titled && strcmp(format->name, "text") == 0)
		printf("%svantage %s\n", run->number > 0 ? "\n" : "",
		    run->vantage);
}
