/* SPDX-License-Identifier: ISC */
/* Files are laid out in memory (tmpfs) where there is such a place. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/reader.h"
#include "lib/spool/spool.h"
#include "tests/fuzz/spool-folder.h"

static char made[64];

static void must(int ok)
{
	if (!ok)
		abort();
}

static void remove_made(void)
{
	spool_folder_wipe(made);
	rmdir(made);
}

void spool_folder_make(char dir[static 64])
{
	snprintf(dir, 64, "%s/sonde-fuzz-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	must(mkdtemp(dir) != NULL);
	snprintf(made, sizeof(made), "%s", dir);
	atexit(remove_made);
}

void spool_folder_wipe(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

void spool_folder_put(
    const char *dir, const char *name, const uint8_t *bytes, size_t len)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	must(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	close(fd);
}

static uint64_t read_all(const char *dir)
{
	struct spool_reader *reader;
	struct spool_run run;
	struct buf b = { 0 };
	uint64_t epoch = 0, seq = 0, records = 0;
	must(spool_reader_open(&reader, dir, NULL) == 0);
	while (spool_reader_next(reader,
		   &(struct spool_want){ epoch, seq, 16, 1 << 16 }, &run, &b,
		   NULL) == 0) {
		struct reader r = reader_init(b.data, b.len);
		for (uint32_t i = 0; i < run.count; i++)
			reader_skip(&r, reader_be32(&r));
		must(r.err == ERR_OK && reader_left(&r) == 0);
		must(run.epoch > epoch ||
		    (run.epoch == epoch && run.first_seq >= seq));
		epoch = run.epoch;
		seq = run.first_seq + run.count;
		records += run.count;
		buf_clear(&b);
	}
	spool_reader_close(reader);
	buf_fini(&b);
	return records;
}

uint64_t spool_folder_judge(const char *dir)
{
	struct spool_config config = { .dir = dir,
		.agent = { 9 },
		.max_bytes = 4 << 20,
		.segment_bytes = 64 << 10 };
	struct spool *spool;
	uint64_t seq;
	must(spool_open(&spool, &config, NULL) == 0);
	uint64_t records = read_all(dir);
	must(spool_append(spool, SPOOL_RESULTS, "on", 2, &seq, NULL) == 0);
	must(spool_sync(spool, NULL) == 0);
	must(read_all(dir) == records + 1);
	spool_close(spool);
	return records;
}
