/* SPDX-License-Identifier: ISC */
#include "collector/detect/subject-states.h"

#include "collector/core/reader-pool.h"
#include "collector/core/writer.h"
#include "collector/registry/registry-detectors.h"

struct save_job {
	struct job job;
	const struct subjects *subjects;
	int64_t next_s;
};

static int run_save(struct collector *c, struct job *job, struct errmsg *msg)
{
	const struct save_job *save = (struct save_job *)job;
	uint32_t bin_s = c->config.alarm_bin_s;
	struct buf bytes = { 0 };
	int err = registry_detector_clear(c->registry, bin_s, msg);
	for (size_t i = 0; err == ERR_OK && i < save->subjects->count; i++) {
		const struct alarm_subject *s = &save->subjects->items[i];
		buf_clear(&bytes);
		s->detector->pack(s->state, &bytes);
		const struct registry_detector_state state = {
			.detector = s->detector->name,
			.verdict = s->verdict,
			.signature = s->signature,
			.agent_row = s->agent_row,
			.next_s = save->next_s,
			.last_s = s->last_s,
			.bytes = bytes.data,
			.len = bytes.len,
		};
		err = registry_detector_add(c->registry, bin_s, &state, msg);
	}
	buf_fini(&bytes);
	return err;
}

int subject_states_save(
    struct collector *c, const struct subjects *subjects, int64_t next_s)
{
	struct save_job save = { .job = { .run = run_save },
		.subjects = subjects,
		.next_s = next_s };
	return writer_call(c, &save.job, NULL);
}

struct state_taker {
	const struct detector_config *config;
	struct subjects *subjects;
	int64_t *next_s;
};

static int take_state(void *ctx, const struct registry_detector_state *row)
{
	struct state_taker *to = ctx;
	const struct alarm_detector *detector =
	    alarm_detector_find(row->detector);
	void *state = detector
	    ? detector->unpack(to->config, row->bytes, row->len)
	    : NULL;
	if (!state)
		return 0;
	if (to->subjects->count >= SUBJECTS_MOST) {
		detector->end(state);
		return 0;
	}
	subjects_add(to->subjects, detector, row->verdict, row->signature,
	    row->agent_row, state)
	    ->last_s = row->last_s;
	*to->next_s = row->next_s;
	return 0;
}

int subject_states_load(struct collector *c,
    const struct detector_config *config, struct subjects *subjects,
    int64_t *next_s, struct errmsg *msg)
{
	struct registry_reader *reader;
	struct state_taker to = { config, subjects, next_s };
	int err = registry_get(c, &reader, msg);
	if (err < 0)
		return err;
	err = registry_read_detectors(
	    reader, c->config.alarm_bin_s, take_state, &to);
	registry_put(c, reader);
	return err < 0 ? err_set(msg, err, "database: cannot read states")
		       : ERR_OK;
}
