/* SPDX-License-Identifier: ISC */
/*
 * Power cuts.  A workload runs on a spool whose system calls are written
 * down.  Then the disk is played forward call by call, and after each call
 * the power fails in several ways: everything kept, all that was not synced
 * dropped, only data or only names dropped, the last blocks torn, zeroed or
 * lost out of order.  Every such disk is laid out in a folder, opened, and
 * judged by a model that knows only what the workload was promised.
 *
 * SONDE_CRASH_ALL=1 tries every state of several workloads; else a sample.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/reader.h"
#include "lib/record/record.h"
#include "lib/spool/spool.h"
#include "lib/base/xalloc.h"

enum {
	OPS = 300,
	RECORD_MOST = 700,
	BLOCK = 512,
	FILES_MOST = 4096,
	CALLS_MOST = 16384,
	SEQ_MOST = 4096
};

/* --- the disk ------------------------------------------------------------- */

enum call_kind {
	CALL_CREATE,
	CALL_TRUNCATE_OPEN,
	CALL_WRITE,
	CALL_FSYNC,
	CALL_FSYNC_DIR,
	CALL_RENAME,
	CALL_UNLINK,
	CALL_FTRUNCATE
};
struct call {
	enum call_kind kind;
	int file; /* the open file it goes to */
	char name[64], to[64];
	uint8_t *data;
	size_t len;
};
static struct call calls[CALLS_MOST];
static size_t call_count;
static int file_of_fd[1024]; /* number of the file that an fd writes to */
static int file_count;
static int fsync_fails_at; /* the how manieth fsync fails; 0: none */

static struct call *call_new(enum call_kind kind, const char *path)
{
	assert_true(call_count < CALLS_MOST);
	struct call *c = &calls[call_count++];
	*c = (struct call){ .kind = kind };
	if (path)
		snprintf(
		    c->name, sizeof(c->name), "%s", strrchr(path, '/') + 1);
	return c;
}

/* Several opens of one name are several "files" in the log that share one
 * inode when the disk is played. */
static int log_open(void *ctx, const char *path, int flags, int mode)
{
	bool existed = access(path, F_OK) == 0;
	int fd = spool_io_posix.open(ctx, path, flags, mode);
	if (fd < 0)
		return fd;
	struct call *c = call_new(
	    existed && !(flags & O_TRUNC) ? CALL_TRUNCATE_OPEN : CALL_CREATE,
	    path);
	c->len = existed;
	c->file = file_of_fd[fd] = file_count++;
	assert_true(file_count < FILES_MOST);
	return fd;
}

static long log_write(void *ctx, int fd, const void *data, size_t len)
{
	long n = spool_io_posix.write(ctx, fd, data, len);
	if (n <= 0)
		return n;
	struct call *c = call_new(CALL_WRITE, NULL);
	c->file = file_of_fd[fd];
	c->data = xmemdup(data, (size_t)n);
	c->len = (size_t)n;
	return n;
}

static int log_fsync(void *ctx, int fd)
{
	if (fsync_fails_at && --fsync_fails_at == 0)
		return -EIO;
	call_new(CALL_FSYNC, NULL)->file = file_of_fd[fd];
	return spool_io_posix.fsync(ctx, fd);
}

static int log_fsync_dir(void *ctx, const char *dir)
{
	if (!strstr(dir, "/.."))
		call_new(CALL_FSYNC_DIR, NULL);
	return spool_io_posix.fsync_dir(ctx, dir);
}

static int log_rename(void *ctx, const char *from, const char *to)
{
	int err = spool_io_posix.rename(ctx, from, to);
	if (err)
		return err;
	struct call *c = call_new(CALL_RENAME, from);
	snprintf(c->to, sizeof(c->to), "%s", strrchr(to, '/') + 1);
	return 0;
}

static int log_unlink(void *ctx, const char *path)
{
	int err = spool_io_posix.unlink(ctx, path);
	if (!err)
		call_new(CALL_UNLINK, path);
	return err;
}

static int log_ftruncate(void *ctx, int fd, int64_t len)
{
	int err = spool_io_posix.ftruncate(ctx, fd, len);
	if (err)
		return err;
	struct call *c = call_new(CALL_FTRUNCATE, NULL);
	c->file = file_of_fd[fd];
	c->len = (size_t)len;
	return 0;
}

static const struct spool_io logging_io = {
	.open = log_open,
	.write = log_write,
	.fsync = log_fsync,
	.fsync_dir = log_fsync_dir,
	.rename = log_rename,
	.unlink = log_unlink,
	.ftruncate = log_ftruncate,
	.close = NULL, /* set in main: posix */
};

struct inode {
	struct buf live, synced;
};
struct entry {
	char name[64];
	int inode;
};
struct names {
	struct entry list[256];
	size_t count;
};
static struct inode inodes[FILES_MOST];
static int inode_count;
static int inode_of_file[FILES_MOST];
static struct names live_names, synced_names;

static struct entry *entry_find(struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->list[i].name, name) == 0)
			return &names->list[i];
	return NULL;
}

static struct entry *entry_set(struct names *names, const char *name, int inode)
{
	struct entry *e = entry_find(names, name);
	if (!e) {
		assert_true(names->count < 256);
		e = &names->list[names->count++];
		snprintf(e->name, sizeof(e->name), "%s", name);
	}
	e->inode = inode;
	return e;
}

static void entry_remove(struct names *names, const char *name)
{
	struct entry *e = entry_find(names, name);
	assert_non_null(e);
	*e = names->list[--names->count];
}

static void copy_bytes(struct buf *to, const struct buf *from)
{
	buf_clear(to);
	buf_bytes(to, from->data, from->len);
}

static void disk_reset(void)
{
	for (int i = 0; i < inode_count; i++) {
		buf_fini(&inodes[i].live);
		buf_fini(&inodes[i].synced);
	}
	inode_count = 0;
	live_names.count = synced_names.count = 0;
}

static void disk_play(const struct call *c)
{
	struct entry *e = entry_find(&live_names, c->name);
	struct inode *inode = &inodes[inode_of_file[c->file]];
	switch (c->kind) {
	case CALL_CREATE:
		if (!e)
			e = entry_set(&live_names, c->name, inode_count++);
		inode_of_file[c->file] = e->inode;
		buf_clear(&inodes[e->inode].live);
		break;
	case CALL_TRUNCATE_OPEN:
		assert_non_null(e);
		inode_of_file[c->file] = e->inode;
		break;
	case CALL_WRITE: buf_bytes(&inode->live, c->data, c->len); break;
	case CALL_FSYNC: copy_bytes(&inode->synced, &inode->live); break;
	case CALL_FSYNC_DIR: synced_names = live_names; break;
	case CALL_RENAME: {
		int moved = e->inode;
		entry_remove(&live_names, c->name);
		entry_set(&live_names, c->to, moved);
		break;
	}
	case CALL_UNLINK: entry_remove(&live_names, c->name); break;
	case CALL_FTRUNCATE:
		assert_true(c->len <= inode->live.len);
		inode->live.len = c->len;
		break;
	}
}

/* --- the ways in which power fails ---------------------------------------- */

enum cut {
	CUT_KEEP,
	CUT_DROP,
	CUT_DROP_DATA,
	CUT_DROP_NAMES,
	CUT_TEAR,
	CUT_ZERO,
	CUT_REORDER,
	CUTS
};

/* What the disk has of a file after the cut. */
static void cut_content(const struct inode *inode, enum cut cut, struct buf *to)
{
	size_t synced = inode->synced.len, len = inode->live.len;
	buf_clear(to);
	if (cut == CUT_DROP || cut == CUT_DROP_DATA) {
		copy_bytes(to, &inode->synced);
		return;
	}
	copy_bytes(to, &inode->live);
	if (cut == CUT_KEEP || cut == CUT_DROP_NAMES || len <= synced)
		return;
	size_t last = (len - 1) / BLOCK * BLOCK;
	size_t next = (synced / BLOCK + 1) * BLOCK;
	if (last < synced)
		last = synced;
	if (cut == CUT_TEAR)
		to->len = last;
	else if (cut == CUT_ZERO)
		memset(to->data + last, 0, len - last);
	else
		memset(
		    to->data + synced, 0, (next < len ? next : len) - synced);
}

static void wipe(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

static void lay_out(const char *dir, enum cut cut)
{
	const struct names *names = cut == CUT_DROP || cut == CUT_DROP_NAMES
	    ? &synced_names
	    : &live_names;
	struct buf content = { 0 };
	wipe(dir);
	for (size_t i = 0; i < names->count; i++) {
		char path[160];
		snprintf(path, sizeof(path), "%s/%s", dir, names->list[i].name);
		cut_content(&inodes[names->list[i].inode], cut, &content);
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		assert_true(fd >= 0);
		assert_true(content.len == 0 ||
		    write(fd, content.data, content.len) ==
			(ssize_t)content.len);
		close(fd);
	}
	buf_fini(&content);
}

/* --- the model: what the workload was promised ---------------------------- */

struct promise {
	uint8_t *bytes;
	size_t len;
	size_t appended_at; /* the call before which append was asked */
	size_t synced_at;   /* the call after which sync had returned; or 0 */
	size_t acked_at;    /* the call before which ack was asked; or 0 */
};
static struct promise promises[SEQ_MOST]; /* by number, one epoch */
static uint64_t workload_epoch, last_seq;
static bool tight; /* the bound is reached: records may be declared lost */

static unsigned random_state;
static unsigned random_next(void)
{
	random_state = random_state * 1103515245u + 12345u;
	return random_state >> 8;
}

static struct spool_config config_for(
    const char *dir, const struct spool_io *io)
{
	return (struct spool_config){ .dir = dir,
		.agent = { 9 },
		.max_bytes = tight ? 40 << 10 : 1 << 20,
		.segment_bytes = 4 << 10,
		.io = io };
}

static void do_append(struct spool *spool)
{
	uint8_t bytes[RECORD_MOST];
	size_t len = 1 + random_next() % (RECORD_MOST - 1), before = call_count;
	uint64_t seq;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)random_next();
	enum spool_class class =
	    (enum spool_class)(random_next() % SPOOL_CLASSES);
	if (spool_append(spool, class, bytes, len, &seq, NULL) != 0)
		return; /* refused: no promise */
	assert_true(seq < SEQ_MOST && seq > last_seq);
	promises[seq] =
	    (struct promise){ xmemdup(bytes, len), len, before, 0, 0 };
	last_seq = seq;
}

static void do_sync(struct spool *spool)
{
	if (spool_sync(spool, NULL) != 0)
		return;
	for (uint64_t s = 1; s <= last_seq; s++)
		if (promises[s].bytes && !promises[s].synced_at)
			promises[s].synced_at = call_count;
}

static void do_ack(struct spool *spool)
{
	uint64_t safe = 0, from = 1;
	while (from <= last_seq && promises[from].acked_at)
		from++;
	for (uint64_t s = 1; s <= last_seq; s++)
		if (promises[s].synced_at)
			safe = s;
	if (safe < from)
		return;
	uint64_t next = from + random_next() % (safe - from + 1) + 1;
	for (uint64_t s = 1; s < next; s++)
		if (!promises[s].acked_at)
			promises[s].acked_at = call_count + 1;
	int err = spool_ack(spool, workload_epoch, next, NULL);
	assert_true(err == 0 || err == -EIO); /* the disk that fails once */
}

static void run_workload(const char *dir, unsigned seed)
{
	struct spool *spool;
	struct spool_stats stats;
	struct spool_io io = logging_io;
	random_state = seed;
	tight = seed % 2;
	fsync_fails_at = seed % 3 == 2 ? 40 : 0;
	io.close = spool_io_posix.close;
	struct spool_config config = config_for(dir, &io);
	assert_int_equal(spool_open(&spool, &config, NULL), 0);
	spool_stats(spool, &stats);
	workload_epoch = stats.epoch;
	for (int i = 0; i < OPS; i++) {
		unsigned dice = random_next() % 10;
		if (dice < 7)
			do_append(spool);
		else if (dice < 9)
			do_sync(spool);
		else if (!tight || random_next() % 4 == 0)
			do_ack(spool);
	}
	size_t before = call_count;
	spool_close(spool);
	for (uint64_t s = 1; s <= last_seq; s++)
		if (promises[s].bytes && !promises[s].synced_at)
			promises[s].synced_at =
			    before < call_count ? call_count : call_count + 1;
}

static void forget_workload(void)
{
	for (size_t i = 0; i < call_count; i++)
		free(calls[i].data);
	for (uint64_t s = 0; s < SEQ_MOST; s++)
		free(promises[s].bytes);
	memset(promises, 0, sizeof(promises));
	call_count = 0;
	file_count = 0;
	last_seq = 0;
	disk_reset();
}

/* --- the judgement -------------------------------------------------------- */

static uint8_t present[SEQ_MOST], declared[SEQ_MOST];

static void declare(const Sonde__Gap *gap)
{
	uint64_t from = gap->from_seq, to = gap->to_seq;
	size_t i = 0;
	if (gap->epoch != workload_epoch)
		return;
	for (;;) {
		for (uint64_t s = from; s <= to; s++) {
			assert_true(s < SEQ_MOST);
			declared[s]++;
		}
		if (i + 1 >= gap->n_more)
			return;
		from = to + gap->more[i] + 1;
		to = from + gap->more[i + 1] - 1;
		i += 2;
	}
}

/* True when the bytes are a gap record, which only the spool makes here. */
static bool see_gap(const uint8_t *bytes, size_t len)
{
	Sonde__Record *r;
	if (record_unpack(&r, bytes, len, NULL) != 0)
		return false;
	bool is = r->body_case == SONDE__RECORD__BODY_GAP;
	if (is)
		declare(r->gap);
	record_free(r);
	return is;
}

static void see_record(
    uint64_t epoch, uint64_t seq, const uint8_t *bytes, size_t len, size_t at)
{
	if (epoch != workload_epoch) {
		assert_true(see_gap(bytes, len)); /* else an invention */
		return;
	}
	assert_true(seq < SEQ_MOST);
	assert_int_equal(present[seq]++, 0); /* else a double */
	const struct promise *p = &promises[seq];
	if (!p->bytes || p->appended_at > at) {
		assert_true(see_gap(bytes, len));
		return;
	}
	assert_int_equal(p->len, len);
	assert_memory_equal(p->bytes, bytes, len);
}

static void see_all(const char *dir, size_t at)
{
	struct spool_reader *reader;
	struct spool_run run;
	struct buf b = { 0 };
	uint64_t epoch = 0, seq = 0;
	assert_int_equal(spool_reader_open(&reader, dir, NULL), 0);
	while (spool_reader_next(reader,
		   &(struct spool_want){ epoch, seq, 64, 1 << 20 }, &run, &b,
		   NULL) == 0) {
		struct reader r = reader_init(b.data, b.len);
		for (uint32_t i = 0; i < run.count; i++) {
			uint32_t len = reader_be32(&r);
			see_record(run.epoch, run.first_seq + i,
			    reader_bytes(&r, len), len, at);
		}
		epoch = run.epoch;
		seq = run.first_seq + run.count;
		buf_clear(&b);
	}
	spool_reader_close(reader);
	buf_fini(&b);
}

/* at: how many calls the disk has seen. */
static void judge(size_t at)
{
	uint64_t highest = 0, acked = 0;
	for (uint64_t s = 1; s < SEQ_MOST; s++) {
		const struct promise *p = &promises[s];
		bool safe = p->bytes && p->synced_at && p->synced_at <= at;
		if (p->acked_at && p->acked_at <= at + 1)
			acked = s;
		if (present[s] || declared[s])
			highest = s;
		if (safe && s > acked) {
			assert_int_equal(present[s] + declared[s], 1);
			assert_true(tight || present[s]);
		}
		assert_true(present[s] + declared[s] <= 1 || s <= acked);
	}
	/* produced = stored + declared lost, without an exception */
	for (uint64_t s = acked + 1; s <= highest; s++)
		assert_int_equal(present[s] + declared[s], 1);
}

/* The highest number that anybody was told before the cut. */
static uint64_t last_given(size_t at)
{
	uint64_t seq = last_seq;
	while (seq > 0 &&
	    (!promises[seq].bytes || promises[seq].appended_at >= at))
		seq--;
	return seq;
}

static void try_state(const char *dir, enum cut cut, size_t at)
{
	struct spool *spool;
	struct spool_stats stats;
	struct errmsg msg;
	uint64_t seq;
	lay_out(dir, cut);
	memset(present, 0, sizeof(present));
	memset(declared, 0, sizeof(declared));
	struct spool_config config = config_for(dir, NULL);
	assert_int_equal(spool_open(&spool, &config, &msg), 0);
	see_all(dir, at);
	judge(at);
	/* It works on, and gives no number twice. */
	spool_stats(spool, &stats);
	assert_true(stats.epoch >= workload_epoch);
	if (stats.epoch == workload_epoch)
		assert_true(stats.next_seq > last_given(at));
	assert_int_equal(
	    spool_append(spool, SPOOL_RESULTS, "on", 2, &seq, &msg), 0);
	assert_int_equal(spool_sync(spool, &msg), 0);
	spool_close(spool);
}

static char base[40];

static void try_workload(unsigned seed, size_t stride)
{
	char dir[64], state_dir[64];
	snprintf(dir, sizeof(dir), "%s/w", base);
	snprintf(state_dir, sizeof(state_dir), "%s/s", base);
	assert_true(mkdir(dir, 0700) == 0 || errno == EEXIST);
	assert_true(mkdir(state_dir, 0700) == 0 || errno == EEXIST);
	wipe(dir);
	run_workload(dir, seed);
	size_t states = 0;
	for (size_t at = 0; at <= call_count; at++) {
		if (at > 0)
			disk_play(&calls[at - 1]);
		for (int cut = 0; cut < CUTS; cut++)
			if ((at * CUTS + (size_t)cut) % stride ==
			    seed % stride) {
				try_state(state_dir, (enum cut)cut, at);
				states++;
			}
	}
	print_message("# workload %u: %zu calls, %zu states, %s\n", seed,
	    call_count, states, tight ? "tight" : "roomy");
	forget_workload();
	wipe(dir);
	wipe(state_dir);
	rmdir(dir);
	rmdir(state_dir);
}

static void no_power_cut_loses_a_promise(void **state)
{
	(void)state;
	const char *all = getenv("SONDE_CRASH_ALL");
	unsigned workloads = all ? 14 : 4;
	for (unsigned seed = 0; seed < workloads; seed++)
		try_workload(seed, all ? 1 : 19);
}

static int setup(void **state)
{
	(void)state;
	strcpy(base,
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm/sonde-crash-XXXXXX"
					  : "/tmp/sonde-crash-XXXXXX");
	return mkdtemp(base) ? 0 : -1;
}

/* Also after a failure, which leaves its disk behind. */
static int teardown(void **state)
{
	char dir[64];
	(void)state;
	for (const char *name = "ws"; *name; name++) {
		snprintf(dir, sizeof(dir), "%s/%c", base, *name);
		wipe(dir);
		rmdir(dir);
	}
	return rmdir(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    no_power_cut_loses_a_promise, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
