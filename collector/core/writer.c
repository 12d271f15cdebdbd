/* SPDX-License-Identifier: ISC */
/*
 * The one thread that changes the store.  It takes whatever waits into one
 * transaction: while a COMMIT syncs, the next group gathers by itself, so
 * a lone job does not wait for others, and under load many share one sync.
 *
 * Registry and telemetry are two files, and no COMMIT spans both over a power
 * cut.  So a group changes the registry alone, or it is batches: then they are
 * appended first, which is all or nothing and counts exactly once, and the
 * events of what was new follow in a transaction of the registry, which notes
 * up to which number an agent's records have theirs.  It takes the events of
 * many groups, so that a group waits for one sync and not for two, and ends
 * when no batch came for a moment, before anything else changes the registry,
 * or soon.  A process that ends before that finds the batches again, because
 * the store sums up on the disk only what has its events (settle), and replays
 * the rest: what has none yet gets them then.  Only a registry that cannot be
 * written loses events.
 *
 * Jobs check before they write, so one that fails has nearly always written
 * nothing and its neighbours go on.  Where it has, and where the transaction
 * is lost (disk full), the group is undone and run again job by job: a bad
 * job undoes only itself, and a large one does not starve the small.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/core/chores.h"
#include "collector/core/event-log.h"
#include "collector/core/fault.h"
#include "collector/core/listener.h"
#include "collector/core/private.h"
#include "collector/core/upkeep.h"
#include "collector/core/writer.h"
#include "lib/base/log.h"
#include "lib/base/wake-thread.h"
#include "lib/base/xalloc.h"

#define GROUP_MOST_JOBS 256
#define GROUP_MOST_BYTES (64u << 20)
#define SETTLE_IDLE_NS (5 * NS_PER_MS)
#define SETTLE_MOST_NS (100 * NS_PER_MS)
#define LATE_NS (5 * NS_PER_S)
#define FAILED_NS (10 * NS_PER_S) /* agents try again well within */
#define HALF_DONE (-ECANCELED)    /* a job failed after it had written */

struct writer {
	struct wake_thread thread; /* woken when a job or a tick comes */
	pthread_cond_t ended;      /* a call or a tick is over */
	/* Our thread's only: */
	struct chores chores;
	bool unsettled;            /* batches whose events have no COMMIT */
	struct monotime announced; /* the first of them */
	struct job *first, **last;
	uint64_t jobs, bytes; /* waiting or in the transaction */
	bool refuse;
	uint64_t ticks_asked, ticks_given;
	struct monotime waited; /* since when jobs wait, or the last COMMIT */
	bool failing;           /* a transaction failed, maybe long ago */
	struct monotime failed; /* the last one that did, and why */
	struct errmsg last_msg;
};

static bool is_lost(int err)
{
	return err == ERR_UNAVAILABLE || err == ERR_CORRUPT;
}

/* 0: go on, whether it failed or not; an error undoes the transaction. */
static int run_job(struct collector *c, struct job *job)
{
	size_t events = event_log_pending(c);
	uint64_t before = registry_written(c->registry);
	job->revision = 0;
	job->err = job->run(c, job, &job->msg);
	if (job->err == ERR_OK)
		return ERR_OK;
	event_log_cut(c, events);
	job->revision = 0;
	if (is_lost(job->err))
		return ERR_UNAVAILABLE;
	return registry_written(c->registry) == before ? ERR_OK : HALF_DONE;
}

static void note_commit(struct collector *c, struct monotime before)
{
	c->counters.commit_ns +=
	    (uint64_t)monotime_diff(monotime_now(), before);
	c->counters.commits++;
}

static int commit_registry(struct collector *c, struct errmsg *msg)
{
	struct monotime before = monotime_now();
	int err = registry_commit(c->registry, msg);
	note_commit(c, before);
	return err;
}

static void roll_back(struct collector *c)
{
	registry_rollback(c->registry);
	event_log_cut(c, 0);
}

static int try_registry_group(
    struct collector *c, struct job *first, struct errmsg *msg)
{
	int err = fault_check(c, msg);
	if (err < 0)
		return err;
	err = registry_begin(c->registry, msg);
	if (err < 0)
		return err;
	for (struct job *job = first; job; job = job->next) {
		err = run_job(c, job);
		if (err < 0) {
			*msg = job->msg;
			return err;
		}
	}
	/* Not into files that were deleted meanwhile. */
	err = fault_check(c, msg);
	return err < 0 ? err : commit_registry(c, msg);
}

/* 0, or the transaction is undone: lost, or a job left it half done. */
static int run_registry_group(
    struct collector *c, struct job *first, struct errmsg *msg)
{
	int err = try_registry_group(c, first, msg);
	if (err == ERR_OK)
		return ERR_OK;
	c->counters.commit_failures += err != HALF_DONE;
	roll_back(c);
	fault_check(c, NULL); /* it may have met damage */
	return err;
}

static int append_checked(struct collector *c, struct prepared_batch **batches,
    size_t count, struct store_outcome *outcomes, struct errmsg *msg)
{
	struct monotime before = monotime_now();
	int err = c->ops->append(c->store, batches, count, outcomes, msg);
	note_commit(c, before);
	if (err < 0)
		return err;
	/* Not into files that were deleted meanwhile. */
	return fault_check(c, msg);
}

static int append_group(
    struct collector *c, struct job *first, struct errmsg *msg)
{
	struct prepared_batch *batches[GROUP_MOST_JOBS];
	struct store_outcome outcomes[GROUP_MOST_JOBS] = { 0 };
	size_t count = 0;
	for (struct job *job = first; job; job = job->next)
		batches[count++] = job->batch;
	int err = append_checked(c, batches, count, outcomes, msg);
	count = 0;
	for (struct job *job = first; job; job = job->next, count++) {
		if (err == ERR_OK)
			job->outcome = outcomes[count];
		else
			free(outcomes[count].new_sources);
		job->err = err;
	}
	return err;
}

/* The batches are stored: whatever fails here only keeps their events out of
 * the log. */
static void lose_events(struct collector *c, const struct errmsg *msg)
{
	c->counters.commit_failures++;
	log_warn("events of a batch are lost: %s", msg->text);
	roll_back(c);
}

/* All batches so far have their events, or lost them. */
static void end_events(struct collector *c)
{
	c->writer->unsettled = false;
	event_log_publish(c);
	c->ops->append(c->store, NULL, 0, NULL, NULL);
}

static void settle(struct collector *c)
{
	struct errmsg msg = { "" };
	if (!c->writer->unsettled)
		return;
	if (commit_registry(c, &msg) < 0)
		lose_events(c, &msg);
	end_events(c);
}

/* What the batches of a group add to the event log. */
static void announce_group(struct collector *c, struct job *first)
{
	struct writer *w = c->writer;
	struct errmsg msg = { "" };
	int err = ERR_OK;
	if (!w->unsettled) {
		err = registry_begin(c->registry, &msg);
		w->announced = monotime_now();
		w->unsettled = true;
	}
	for (struct job *job = first; err == ERR_OK && job; job = job->next) {
		size_t events = event_log_pending(c);
		err = job->run(c, job, &msg);
		if (err < 0)
			event_log_cut(c, events);
	}
	if (err == ERR_OK)
		return;
	lose_events(c, &msg);
	end_events(c);
}

static int run_batches(
    struct collector *c, struct job *first, struct errmsg *msg)
{
	int err = fault_check(c, msg);
	if (err < 0)
		return err;
	err = append_group(c, first, msg);
	if (err < 0)
		return err;
	announce_group(c, first);
	return ERR_OK;
}

static int run_group(struct collector *c, struct job *first, struct errmsg *msg)
{
	if (!first->batch) {
		settle(c);
		return run_registry_group(c, first, msg);
	}
	int err = run_batches(c, first, msg);
	if (err == ERR_OK)
		return ERR_OK;
	c->counters.commit_failures++;
	fault_check(c, NULL); /* it may have met damage */
	return err;
}

static void publish(struct collector *c, const struct job *first)
{
	uint64_t revision = 0;
	for (; first; first = first->next)
		if (first->revision > revision)
			revision = first->revision;
	if (!c->writer->unsettled)
		event_log_publish(c);
	if (revision == 0)
		return;
	c->revision = revision;
	listener_work_changed(c, revision);
}

static int run_and_publish(struct collector *c, struct job *first)
{
	struct errmsg msg = { "" };
	int err = run_group(c, first, &msg);
	if (err == ERR_OK)
		publish(c, first);
	pthread_mutex_lock(&c->writer->thread.lock);
	if (err < 0 && err != HALF_DONE) {
		c->writer->failing = true;
		c->writer->failed = collector_mono(c);
		c->writer->last_msg = msg;
	}
	if (err == ERR_OK)
		c->writer->waited = collector_mono(c);
	pthread_mutex_unlock(&c->writer->thread.lock);
	return err;
}

static void run_one_by_one(struct collector *c, struct job *first)
{
	while (first) {
		struct job *rest = first->next;
		first->next = NULL;
		int err = run_and_publish(c, first);
		if (err < 0 && err != HALF_DONE) {
			first->err = ERR_UNAVAILABLE;
			err_set(&first->msg, ERR_UNAVAILABLE, "%s",
			    c->writer->last_msg.text);
		}
		first->next = rest;
		first = rest;
	}
}

int writer_run_now(struct collector *c, struct job *job)
{
	job->next = NULL;
	int err = run_and_publish(c, job);
	return err < 0 && err != HALF_DONE ? err : job->err;
}

static void answer_group(struct collector *c, struct job *first)
{
	struct writer *w = c->writer;
	while (first) {
		struct job *job = first;
		first = job->next;
		size_t bytes = job->bytes;
		job->done(c, job); /* the job may be gone now */
		pthread_mutex_lock(&w->thread.lock);
		w->jobs--;
		w->bytes -= bytes;
		pthread_mutex_unlock(&w->thread.lock);
	}
}

/* Takes the next group off the queue; the lock is held. */
static struct job *take_group(struct writer *w)
{
	struct job *first = w->first, *last = NULL;
	size_t bytes = 0;
	for (unsigned n = 0; w->first && n < GROUP_MOST_JOBS; n++) {
		bytes += w->first->bytes;
		if (last &&
		    (bytes > GROUP_MOST_BYTES ||
			!last->batch != !w->first->batch))
			break;
		last = w->first;
		w->first = last->next;
	}
	if (last)
		last->next = NULL;
	if (!w->first)
		w->last = &w->first;
	return first;
}

static void wait_for_work(struct writer *w, struct monotime until)
{
	while (!w->first && !w->thread.stop && w->ticks_asked == w->ticks_given)
		if (!wake_thread_wait(&w->thread, until))
			return;
}

static void end_tick(struct writer *w, uint64_t asked)
{
	pthread_mutex_lock(&w->thread.lock);
	w->ticks_given = asked;
	pthread_cond_broadcast(&w->ended);
	pthread_mutex_unlock(&w->thread.lock);
}

/* When to wait no longer for batches whose events join those that wait. */
static struct monotime settle_time(const struct writer *w)
{
	struct monotime now = monotime_now();
	struct monotime idle = monotime_add(now, SETTLE_IDLE_NS);
	struct monotime most = monotime_add(w->announced, SETTLE_MOST_NS);
	return monotime_before(idle, most) ? idle : most;
}

static void *writer_main(void *arg)
{
	struct collector *c = arg;
	struct writer *w = c->writer;
	struct monotime next = monotime_now();
	for (;;) {
		struct monotime until = w->unsettled ? settle_time(w) : next;
		pthread_mutex_lock(&w->thread.lock);
		wait_for_work(w, until);
		struct job *group = take_group(w);
		bool stop = w->thread.stop;
		uint64_t asked = w->ticks_asked, given = w->ticks_given;
		pthread_mutex_unlock(&w->thread.lock);
		if (group) {
			int err = run_and_publish(c, group);
			if (err < 0)
				run_one_by_one(c, group);
			answer_group(c, group);
		}
		struct monotime now = monotime_now();
		bool due = asked != given || !monotime_before(now, next);
		if (!group || due || !monotime_before(now, settle_time(w)))
			settle(c);
		if (!group && stop)
			return NULL;
		if (!due)
			continue;
		next = chores_run(&w->chores, c, asked != given);
		end_tick(w, asked);
	}
}

void writer_tick(struct collector *c)
{
	struct writer *w = c->writer;
	pthread_mutex_lock(&w->thread.lock);
	uint64_t mine = ++w->ticks_asked;
	wake_thread_wake(&w->thread);
	while (w->ticks_given < mine)
		pthread_cond_wait(&w->ended, &w->thread.lock);
	pthread_mutex_unlock(&w->thread.lock);
	upkeep_tick(c);
}

static void queue_job(struct collector *c, struct job *job)
{
	struct writer *w = c->writer;
	job->next = NULL;
	job->err = ERR_OK;
	if (w->jobs == 0)
		w->waited = collector_mono(c);
	*w->last = job;
	w->last = &job->next;
	w->jobs++;
	w->bytes += job->bytes;
	wake_thread_wake(&w->thread);
}

int writer_submit(struct collector *c, struct job *job)
{
	struct writer *w = c->writer;
	pthread_mutex_lock(&w->thread.lock);
	bool full = w->refuse || w->jobs >= c->config.queue_batches ||
	    (w->jobs > 0 && w->bytes + job->bytes > c->config.queue_bytes);
	if (!full)
		queue_job(c, job);
	pthread_mutex_unlock(&w->thread.lock);
	return full ? ERR_UNAVAILABLE : ERR_OK;
}

/* A job whose caller waits. */
struct call {
	struct job job; /* in the queue instead of the caller's */
	struct job *real;
	bool ended;
};

static int call_run(struct collector *c, struct job *job, struct errmsg *msg)
{
	struct call *call = (struct call *)job;
	int err = call->real->run(c, call->real, msg);
	job->revision = call->real->revision;
	return err;
}

static void call_done(struct collector *c, struct job *job)
{
	struct call *call = (struct call *)job;
	struct writer *w = c->writer;
	pthread_mutex_lock(&w->thread.lock);
	call->ended = true;
	pthread_cond_broadcast(&w->ended);
	pthread_mutex_unlock(&w->thread.lock);
}

int writer_call(struct collector *c, struct job *job, struct errmsg *msg)
{
	struct writer *w = c->writer;
	struct call call = { .job = { .run = call_run, .done = call_done },
		.real = job };
	if (writer_submit(c, &call.job) < 0)
		return err_set(
		    msg, ERR_UNAVAILABLE, "collector: too busy, try again");
	pthread_mutex_lock(&w->thread.lock);
	while (!call.ended)
		pthread_cond_wait(&w->ended, &w->thread.lock);
	pthread_mutex_unlock(&w->thread.lock);
	if (call.job.err < 0 && msg)
		*msg = call.job.msg;
	return call.job.err;
}

void writer_queue(struct collector *c, uint64_t *jobs, uint64_t *bytes)
{
	struct writer *w = c->writer;
	pthread_mutex_lock(&w->thread.lock);
	*jobs = w->jobs;
	*bytes = w->bytes;
	pthread_mutex_unlock(&w->thread.lock);
}

bool writer_is_healthy(struct collector *c, char *detail, size_t len)
{
	struct writer *w = c->writer;
	pthread_mutex_lock(&w->thread.lock);
	/* A chore that commits in between does not make a disk that refuses
	 * batches well again. */
	if (w->failing &&
	    monotime_diff(collector_mono(c), w->failed) > FAILED_NS)
		w->failing = false;
	bool well = !w->failing;
	snprintf(detail, len, "%s", well ? "" : w->last_msg.text);
	int64_t waited = monotime_diff(collector_mono(c), w->waited);
	if (well && w->jobs > 0 && waited > LATE_NS) {
		well = false;
		snprintf(detail, len,
		    "nothing was committed for %lld s, and %llu jobs wait: is "
		    "the disk slow, or the machine overloaded?",
		    (long long)(waited / NS_PER_S),
		    (unsigned long long)w->jobs);
	}
	pthread_mutex_unlock(&w->thread.lock);
	return well;
}

static int writer_start(struct collector *c, struct errmsg *msg)
{
	struct writer *w = xcalloc(1, sizeof(*w));
	w->last = &w->first;
	wake_thread_init(&w->thread);
	pthread_cond_init(&w->ended, NULL);
	c->writer = w;
	chores_init(&w->chores, c, false);
	return wake_thread_start(&w->thread, writer_main, c, "writer", msg);
}

static void writer_stop(struct collector *c)
{
	struct writer *w = c->writer;
	if (!w)
		return;
	pthread_mutex_lock(&w->thread.lock);
	w->refuse = true;
	pthread_mutex_unlock(&w->thread.lock);
	wake_thread_stop(&w->thread);
	pthread_cond_destroy(&w->ended);
	wake_thread_fini(&w->thread);
	chores_fini(&w->chores);
	free(w);
	c->writer = NULL;
}

const struct part writer_part = {
	.name = "writer",
	.open = writer_start,
	.close = writer_stop,
};
