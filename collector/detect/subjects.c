/* SPDX-License-Identifier: ISC */
#include "collector/detect/subjects.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

static uint64_t hash_of(const struct alarm_detector *detector,
    const char *verdict, const char *signature, int64_t agent_row)
{
	uint64_t parts[4] = { (uintptr_t)detector,
		index_hash(verdict, strlen(verdict)),
		index_hash(signature, strlen(signature)), (uint64_t)agent_row };
	return index_hash(parts, sizeof(parts));
}

struct alarm_subject *subjects_find(struct subjects *subjects,
    const struct alarm_detector *detector, const char *verdict,
    const char *signature, int64_t agent_row)
{
	size_t i;
	struct index_walk walk = index_walk(
	    &subjects->index, hash_of(detector, verdict, signature, agent_row));
	while (index_next(&walk, &i)) {
		struct alarm_subject *s = &subjects->items[i];
		if (s->detector == detector && s->agent_row == agent_row &&
		    strcmp(s->verdict, verdict) == 0 &&
		    strcmp(s->signature, signature) == 0)
			return s;
	}
	return NULL;
}

struct alarm_subject *subjects_add(struct subjects *subjects,
    const struct alarm_detector *detector, const char *verdict,
    const char *signature, int64_t agent_row, void *state)
{
	VEC_ROOM(subjects->items, subjects->count);
	index_put(&subjects->index,
	    hash_of(detector, verdict, signature, agent_row), subjects->count);
	struct alarm_subject *s = &subjects->items[subjects->count++];
	*s = (struct alarm_subject){
		.detector = detector,
		.verdict = xstrdup(verdict),
		.signature = xstrdup(signature),
		.agent_row = agent_row,
		.state = state,
	};
	return s;
}

static void drop(struct alarm_subject *s)
{
	s->detector->end(s->state);
	free(s->verdict);
	free(s->signature);
}

void subjects_drop_idle(struct subjects *subjects, int64_t since_s)
{
	struct subjects kept = { 0 };
	struct registry_alarm alarm;
	size_t idle = 0;
	for (size_t i = 0; i < subjects->count; i++) {
		const struct alarm_subject *s = &subjects->items[i];
		idle += s->last_s < since_s &&
		    !s->detector->current(s->state, &alarm);
	}
	if (idle == 0)
		return;
	for (size_t i = 0; i < subjects->count; i++) {
		struct alarm_subject *s = &subjects->items[i];
		if (s->last_s >= since_s ||
		    s->detector->current(s->state, &alarm))
			subjects_add(&kept, s->detector, s->verdict,
			    s->signature, s->agent_row, s->state)
			    ->last_s = s->last_s;
		else
			s->detector->end(s->state);
		free(s->verdict);
		free(s->signature);
	}
	free(subjects->items);
	index_fini(&subjects->index);
	*subjects = kept;
}

void subjects_fini(struct subjects *subjects)
{
	for (size_t i = 0; i < subjects->count; i++)
		drop(&subjects->items[i]);
	free(subjects->items);
	index_fini(&subjects->index);
	*subjects = (struct subjects){ 0 };
}
