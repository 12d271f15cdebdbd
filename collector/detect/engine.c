/* SPDX-License-Identifier: ISC */
/*
 * The alarm engine.  A bin is judged when it is complete, and again while late
 * data may still change it: heartbeats report up to LAG later that a sensor
 * watched.  So each subject's state stands where all is settled, LAG ago, and
 * a copy of it goes on to the newest bin; what both find is compared with the
 * alarms that are stored.  The states are kept now and then (subject-states.h):
 * a restart steps through the bins since.
 *
 * A subject that is new is shown the window before it, so that a worm that
 * no sensor ever saw is judged against the silence.
 *
 * An agent's alarm that overlaps the fleet's of the same subject and direction
 * is part of the same outbreak: it is kept, but neither announced nor
 * counted again.
 */
#include "collector/detect/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/core/agent-table.h"
#include "collector/core/event-log.h"
#include "collector/core/private.h"
#include "collector/core/reader-pool.h"
#include "collector/core/writer.h"
#include "collector/detect/alarm-book.h"
#include "collector/detect/alarm-json.h"
#include "collector/detect/series.h"
#include "collector/detect/subject-states.h"
#include "collector/detect/subjects.h"
#include "lib/base/log.h"
#include "lib/base/vec.h"
#include "lib/base/wake-thread.h"
#include "lib/base/xalloc.h"
#include "lib/json/json-value.h"

#define WINDOW_BINS 2000 /* what a new subject is shown */
#define LAG_S 900        /* as far back as a heartbeat speaks */
#define SLICE_BINS 128   /* of a window that settle in one step */
#define SAVE_ROUNDS 30
#define SETTLE_MOST_NS (15 * NS_PER_S)

struct alarms {
	struct wake_thread thread;
	int64_t judged_s; /* the end of the last bin that was judged */
	bool loaded;
	int64_t next_s; /* where the states stand; 0: nowhere */
	struct subjects subjects;
	unsigned unsaved; /* rounds */
	bool full;        /* logged */
};

struct subject_class {
	int64_t row;
	char *verdict, *signature; /* owned */
};

struct round {
	struct job job;
	struct collector *c;
	struct detector_config config;
	struct store_view *reader;
	struct series_set set;  /* from the states' bin on */
	struct series_set past; /* before it: who watched; no bins: not read */
	struct subject_class *classes; /* owned */
	size_t class_count;
	struct alarm_book book;
	int64_t settled_s, end_s; /* states go to there, copies to there */
	int64_t newest_s;         /* the end of the newest bin */
	bool whole; /* the states stood nowhere: a window is replayed */
	bool last;  /* the set ends at the newest bin */
	unsigned unjudged;
};

/* The store gives classes by row. */
static const struct subject_class *find_class(
    const struct round *round, int64_t row)
{
	size_t low = 0, high = round->class_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (round->classes[middle].row < row)
			low = middle + 1;
		else
			high = middle;
	}
	return low < round->class_count && round->classes[low].row == row
	    ? &round->classes[low]
	    : NULL;
}

/* --- observations --- */

/* One subject's bins of a set. */
struct bins {
	const struct series_set *set;
	const struct series *series; /* NULL: nothing was seen */
	const bool *watched;         /* NULL: never */
	bool is_sensor;
	bool live; /* the agent is in contact: its sensor could watch */
};

static struct spike_bin observe(const struct bins *bins, size_t i)
{
	bool watched = bins->watched && bins->watched[i];
	if (bins->is_sensor)
		return (struct spike_bin){ watched, !watched && !bins->live };
	if (bins->series)
		return bins->series->bins[i];
	return (struct spike_bin){ 0, !watched };
}

static void name_subject(
    const struct alarm_subject *subject, struct registry_alarm *alarm)
{
	alarm->detector = subject->detector->name;
	alarm->verdict = subject->verdict;
	alarm->signature = subject->signature;
	alarm->agent_row = subject->agent_row;
}

/* Steps through the bins [from, to); alarms that end go to the book. */
static void step_bins(struct round *round, const struct bins *bins,
    struct alarm_subject *subject, void *state, int64_t from_s, int64_t to_s)
{
	int64_t bin_s = bins->set->bin_s, first_s = bins->set->first_s;
	for (int64_t s = from_s; s < to_s; s += bin_s) {
		struct detector_step step;
		struct spike_bin value =
		    observe(bins, (size_t)((s - first_s) / bin_s));
		if (value.count > 0 && s > subject->last_s)
			subject->last_s = s;
		subject->detector->step(
		    state, (uint64_t)(s / bin_s), &value, &step);
		if (!step.ended)
			continue;
		name_subject(subject, &step.over);
		alarm_book_add(&round->book, &step.over);
	}
}

/* --- subjects --- */

/* What a new subject is shown: that nothing of it was seen in the window, and
 * when a sensor watched. */
static int show_past(
    struct round *round, struct alarm_subject *subject, struct errmsg *msg)
{
	struct collector *c = round->c;
	int64_t end_s = round->set.first_s;
	int64_t from_s = end_s - (int64_t)round->config.bin_s * WINDOW_BINS;
	if (round->past.bins == 0) {
		struct store_plan filter = {
			.range = { (from_s > 0 ? from_s : 0) * NS_PER_S,
			    end_s * NS_PER_S },
			.bin_s = round->config.bin_s,
			.agent_row = -1,
		};
		int err = series_read_watch(
		    c, round->reader, &filter, &round->past, msg);
		if (err < 0)
			return err;
	}
	const struct bins bins = {
		.set = &round->past,
		.watched = series_watch_of(&round->past, subject->agent_row),
	};
	step_bins(
	    round, &bins, subject, subject->state, round->past.first_s, end_s);
	return ERR_OK;
}

/* The subject, begun when it is new and there is room; NULL: not judged. */
static struct alarm_subject *know_subject(struct round *round,
    const struct alarm_detector *detector, const char *verdict,
    const char *signature, int64_t agent_row, bool *fresh)
{
	struct alarms *alarms = round->c->alarms;
	struct alarm_subject *subject = subjects_find(
	    &alarms->subjects, detector, verdict, signature, agent_row);
	*fresh = false;
	if (subject)
		return subject;
	if (alarms->subjects.count >= SUBJECTS_MOST) {
		round->unjudged++;
		if (!alarms->full)
			log_warn("alarms: more than %d series: the excess is "
				 "not judged",
			    SUBJECTS_MOST);
		alarms->full = true;
		return NULL;
	}
	*fresh = true;
	return subjects_add(&alarms->subjects, detector, verdict, signature,
	    agent_row, detector->begin(&round->config));
}

/* Series whose rise means that more machines attack or try to.  The others are
 * victims, misdirected traffic and sources that are not routed: reflectors that
 * answer in bursts are no outbreak. */
static bool is_alarming(const char *verdict)
{
	static const char *const verdicts[] = { "worm", "scan", "probe",
		"flood" };
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(*verdicts); i++)
		if (strcmp(verdict, verdicts[i]) == 0)
			return true;
	return false;
}

static int know_series(
    struct round *round, const struct alarm_detector *d, struct errmsg *msg)
{
	for (size_t i = 0; i < round->set.count; i++) {
		const struct series *series = &round->set.items[i];
		const struct subject_class *class =
		    find_class(round, series->class_row);
		bool fresh = false;
		if (!class || !is_alarming(class->verdict))
			continue;
		struct alarm_subject *subject =
		    know_subject(round, d, class->verdict, class->signature,
			series->agent_row, &fresh);
		int err = fresh ? show_past(round, subject, msg) : ERR_OK;
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

static int know_subjects(struct round *round, struct errmsg *msg)
{
	bool fresh;
	for (size_t d = 0; alarm_detectors[d]; d++) {
		if (alarm_detectors[d]->subject == SUBJECT_SERIES) {
			int err = know_series(round, alarm_detectors[d], msg);
			if (err < 0)
				return err;
			continue;
		}
		for (size_t i = 0; i < round->set.watch_count; i++)
			if (round->set.watch[i].agent_row != STORE_FLEET)
				know_subject(round, alarm_detectors[d],
				    "sensor", "", round->set.watch[i].agent_row,
				    &fresh);
	}
	return ERR_OK;
}

/* Which series is whose, once all subjects stand at their places. */
static void join_series(struct round *round)
{
	struct subjects *subjects = &round->c->alarms->subjects;
	for (size_t i = 0; i < subjects->count; i++)
		subjects->items[i].series = NULL;
	for (size_t i = 0; i < round->set.count; i++) {
		const struct series *series = &round->set.items[i];
		const struct subject_class *class =
		    find_class(round, series->class_row);
		if (!class || !is_alarming(class->verdict))
			continue;
		for (size_t d = 0; alarm_detectors[d]; d++) {
			struct alarm_subject *subject = subjects_find(subjects,
			    alarm_detectors[d], class->verdict,
			    class->signature, series->agent_row);
			if (subject)
				subject->series = series;
		}
	}
}

/* --- a round --- */

static void judge(struct round *round, struct alarm_subject *subject)
{
	const struct alarm_detector *d = subject->detector;
	struct registry_alarm on;
	struct agent agent;
	struct buf bytes = { 0 };
	struct bins bins = {
		.set = &round->set,
		.series = subject->series,
		.watched = series_watch_of(&round->set, subject->agent_row),
		.is_sensor = d->subject == SUBJECT_SENSOR,
	};
	bins.live = bins.is_sensor && !round->whole &&
	    agents_find_row(round->c, subject->agent_row, &agent) &&
	    agent.state == AGENT_UP && !agent.reports_coverage;
	step_bins(round, &bins, subject, subject->state, round->set.first_s,
	    round->settled_s);
	if (!round->last)
		return;
	d->pack(subject->state, &bytes);
	void *copy = d->unpack(&round->config, bytes.data, bytes.len);
	buf_fini(&bytes);
	if (!copy)
		BUG("detector %s: does not know its own state", d->name);
	step_bins(round, &bins, subject, copy, round->settled_s, round->end_s);
	if (d->current(copy, &on)) {
		name_subject(subject, &on);
		alarm_book_add(&round->book, &on);
	}
	d->end(copy);
}

static int announce_alarm(struct round *round, const struct held_alarm *held,
    int64_t row, bool fresh, struct errmsg *msg)
{
	struct registry_alarm alarm = alarm_book_alarm(held);
	struct agent agent = { .row = 0 };
	char words[200], text[400];
	alarm.row = row;
	if (alarm.agent_row &&
	    agents_find_row(round->c, alarm.agent_row, &agent))
		memcpy(alarm.agent, agent.id, sizeof(alarm.agent));
	alarm_detector_find(alarm.detector)
	    ->explain(&alarm, !fresh, words, sizeof(words));
	snprintf(text, sizeof(text), "%s%s%s %s",
	    alarm.signature[0] ? alarm.signature : alarm.verdict,
	    agent.row ? " at " : "", agent.name, words);
	json_t *fields = json_pack("{s:o}", "alarm", alarm_to_json(&alarm));
	return event_log_add(round->c, "alarm", text, fields, msg);
}

static int run_round(struct collector *c, struct job *job, struct errmsg *msg)
{
	struct round *round = (struct round *)job;
	for (size_t i = 0; i < round->book.count; i++) {
		const struct held_alarm *held = &round->book.items[i];
		bool fresh = i >= round->book.stored;
		if (!held->changed)
			continue;
		/* A copy: a retried transaction must insert again. */
		struct registry_alarm alarm = alarm_book_alarm(held);
		int err = registry_alarm_put(c->registry, &alarm, msg);
		if (err < 0)
			return err;
		if ((!fresh && !alarm.ended_ns) ||
		    alarm_book_is_part(&round->book, held) ||
		    !alarm_detector_find(held->detector))
			continue;
		err = announce_alarm(round, held, alarm.row, fresh, msg);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

static int take_class(void *ctx, const struct store_row *row)
{
	const struct store_class *class = row->class;
	struct round *round = ctx;
	VEC_ROOM(round->classes, round->class_count);
	round->classes[round->class_count++] =
	    (struct subject_class){ class->row, xstrdup(class->verdict),
		    xstrdup(class->signature) };
	return 0;
}

static int64_t settle_ns(const struct collector *c)
{
	int64_t bin_width = c->config.alarm_bin_s * NS_PER_S;
	if (c->config.alarm_settle_ns > 0)
		return c->config.alarm_settle_ns;
	return bin_width < SETTLE_MOST_NS ? bin_width : SETTLE_MOST_NS;
}

static int64_t settled_s(const struct collector *c)
{
	int64_t s = (collector_wall(c).ns - settle_ns(c)) / NS_PER_S;
	return s - s % c->config.alarm_bin_s;
}

/* Where to read from: where the states stand, or a window if they stand
 * nowhere, or too far behind, or before us after the clock went back. */
static void choose_start(struct round *round)
{
	struct collector *c = round->c;
	struct alarms *alarms = c->alarms;
	int64_t bin_s = c->config.alarm_bin_s, end_s = round->newest_s;
	if (alarms->next_s > 0 && alarms->next_s <= end_s &&
	    end_s - alarms->next_s <= bin_s * WINDOW_BINS)
		return;
	subjects_fini(&alarms->subjects);
	round->whole = true;
	int64_t start_s = end_s - bin_s * WINDOW_BINS;
	alarms->next_s = start_s > 0 ? start_s - start_s % bin_s : 0;
}

static int read_book(struct round *round, struct errmsg *msg)
{
	struct registry_reader *registry;
	int64_t back_ns = round->config.bin_s * (int64_t)WINDOW_BINS * NS_PER_S;
	int64_t end_ns = round->newest_s * NS_PER_S;
	int err = registry_get(round->c, &registry, msg);
	if (err < 0)
		return err;
	err = alarm_book_read(&round->book, registry, end_ns - back_ns, end_ns);
	if (err < 0)
		err_set(msg, err, "database: cannot read alarms");
	registry_put(round->c, registry);
	return err;
}

/* The next bins: all that there are, or a slice when they are many. */
static int read_bins(struct round *round, struct errmsg *msg)
{
	struct collector *c = round->c;
	int64_t bin_s = round->config.bin_s, start_s = c->alarms->next_s;
	int64_t lag_s = (LAG_S + bin_s - 1) / bin_s * bin_s;
	/* The lag on top: else short bins would never settle, nor this end. */
	round->end_s = start_s + SLICE_BINS * bin_s + lag_s;
	round->last = round->end_s >= round->newest_s;
	if (round->last)
		round->end_s = round->newest_s;
	struct store_plan filter = {
		.range = { start_s * NS_PER_S, round->end_s * NS_PER_S },
		.bin_s = round->config.bin_s,
		.agent_row = -1,
	};
	series_fini(&round->set);
	series_fini(&round->past);
	int err = series_read(c, round->reader, &filter, &round->set, msg);
	if (err < 0)
		return err;
	/* No slice of ours may pass what is settled. */
	round->settled_s = round->newest_s - lag_s;
	if (round->settled_s > round->end_s)
		round->settled_s = round->end_s;
	if (round->settled_s < round->set.first_s)
		round->settled_s = round->set.first_s;
	return ERR_OK;
}

static void count_open(struct collector *c, const struct round *round)
{
	uint64_t open = 0;
	for (size_t i = 0; i < round->book.count; i++)
		open += round->book.items[i].alarm.ended_ns == 0 &&
		    !alarm_book_is_part(&round->book, &round->book.items[i]);
	c->counters.alarms_open = open;
	c->counters.alarm_subjects_unjudged = round->unjudged;
}

static struct detector_config config_of(const struct collector *c)
{
	return (struct detector_config){ c->config.alarm_bin_s,
		series_spikes(c, c->config.alarm_bin_s) };
}

static void save_states(struct collector *c)
{
	struct alarms *alarms = c->alarms;
	if (alarms->next_s > 0 &&
	    subject_states_save(c, &alarms->subjects, alarms->next_s) == ERR_OK)
		alarms->unsaved = 0;
}

/* What is in memory may be ahead of what is stored: back to that. */
static void forget_states(struct alarms *alarms)
{
	subjects_fini(&alarms->subjects);
	alarms->next_s = 0;
	alarms->loaded = false;
}

static int judge_bins(struct round *round, struct errmsg *msg)
{
	struct subjects *subjects = &round->c->alarms->subjects;
	int err = read_bins(round, msg);
	if (err < 0)
		return err;
	err = know_subjects(round, msg);
	if (err < 0)
		return err;
	join_series(round);
	for (size_t i = 0; i < subjects->count; i++)
		judge(round, &subjects->items[i]);
	round->c->alarms->next_s = round->settled_s;
	round->unjudged += round->set.skipped > 0;
	return ERR_OK;
}

static int judge_round(struct round *round, struct errmsg *msg)
{
	struct collector *c = round->c;
	struct alarms *alarms = c->alarms;
	const struct store_plan classes = { .table = STORE_CLASSES };
	int err = c->ops->read(round->reader, &classes, take_class, round, msg);
	if (err < 0)
		return err;
	err = read_book(round, msg);
	if (err < 0)
		return err;
	choose_start(round);
	while (!round->last) {
		round->unjudged = 0;
		err = judge_bins(round, msg);
		if (err < 0)
			return err;
	}
	alarm_book_end_others(
	    &round->book, round->config.bin_s, round->newest_s * NS_PER_S);
	if (alarm_book_changed(&round->book)) {
		err = writer_call(c, &round->job, msg);
		if (err < 0)
			return err;
	}
	alarms->judged_s = round->newest_s;
	c->counters.alarm_rounds++;
	count_open(c, round);
	subjects_drop_idle(&alarms->subjects,
	    round->newest_s - (int64_t)round->config.bin_s * WINDOW_BINS);
	return ERR_OK;
}

int alarms_round(struct collector *c, struct errmsg *msg)
{
	struct alarms *alarms = c->alarms;
	struct round round = { .job = { .run = run_round },
		.c = c,
		.config = config_of(c),
		.newest_s = settled_s(c) };
	int err = ERR_OK;
	if (!alarms->loaded)
		err = subject_states_load(
		    c, &round.config, &alarms->subjects, &alarms->next_s, msg);
	if (err < 0)
		return err;
	alarms->loaded = true;
	err = reader_get(c, &round.reader, msg);
	if (err < 0)
		return err;
	err = judge_round(&round, msg);
	reader_put(c, round.reader);
	series_fini(&round.set);
	series_fini(&round.past);
	alarm_book_fini(&round.book);
	for (size_t i = 0; i < round.class_count; i++) {
		free(round.classes[i].verdict);
		free(round.classes[i].signature);
	}
	free(round.classes);
	if (err < 0)
		forget_states(alarms);
	else if (++alarms->unsaved >= SAVE_ROUNDS)
		save_states(c);
	return err;
}

static bool wait_interval(struct collector *c)
{
	struct wake_thread *thread = &c->alarms->thread;
	struct monotime until =
	    monotime_add(monotime_now(), c->config.alarm_interval_ns);
	pthread_mutex_lock(&thread->lock);
	while (!thread->stop && wake_thread_wait(thread, until))
		;
	bool stop = thread->stop;
	pthread_mutex_unlock(&thread->lock);
	return !stop;
}

static void *alarms_main(void *arg)
{
	struct collector *c = arg;
	while (wait_interval(c))
		if (settled_s(c) > c->alarms->judged_s)
			alarms_round(c, NULL);
	return NULL;
}

static int alarms_start(struct collector *c, struct errmsg *msg)
{
	c->alarms = xcalloc(1, sizeof(*c->alarms));
	wake_thread_init(&c->alarms->thread);
	return c->config.no_alarm_thread ? ERR_OK
					 : wake_thread_start(&c->alarms->thread,
					       alarms_main, c, "alarms", msg);
}

static void alarms_stop(struct collector *c)
{
	struct alarms *alarms = c->alarms;
	if (!alarms)
		return;
	wake_thread_stop(&alarms->thread);
	if (alarms->unsaved > 0)
		save_states(c);
	subjects_fini(&alarms->subjects);
	wake_thread_fini(&alarms->thread);
	free(alarms);
	c->alarms = NULL;
}

const struct part alarms_part = {
	.name = "alarms",
	.open = alarms_start,
	.close = alarms_stop,
};
