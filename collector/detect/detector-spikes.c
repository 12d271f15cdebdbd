/* SPDX-License-Identifier: ISC */
/* Rises and falls of the number of sources, by analysis/spikes.h. */
#include <stdio.h>
#include <stdlib.h>

#include "collector/detect/alarm-detector.h"
#include "lib/base/clock.h"
#include "lib/base/xalloc.h"

struct spikes {
	uint32_t bin_s;
	struct spike_state *series;
};

static void *begin_spikes(const struct detector_config *config)
{
	struct spikes *s = xcalloc(1, sizeof(*s));
	s->bin_s = config->bin_s;
	s->series = spike_state_new(&config->spikes);
	return s;
}

static void end_spikes(void *state)
{
	struct spikes *s = state;
	spike_state_free(s->series);
	free(s);
}

static struct registry_alarm to_alarm(
    const struct spikes *s, const struct spike_alarm *found)
{
	int64_t bin_ns = s->bin_s * NS_PER_S;
	return (struct registry_alarm){
		.bin_s = s->bin_s,
		.direction =
		    found->direction == SPIKE_RISE ? ALARM_RISE : ALARM_FALL,
		.onset_ns = (int64_t)found->onset * bin_ns,
		.detected_ns = (int64_t)(found->detected + 1) * bin_ns,
		.ended_ns = found->ended ? (int64_t)found->end * bin_ns : 0,
		.observed = found->observed,
		.expected = found->expected,
		.run_length = found->run_length,
		.test = found->test,
	};
}

static void step_spikes(void *state, uint64_t bin,
    const struct spike_bin *value, struct detector_step *step)
{
	struct spikes *s = state;
	struct spike_step found;
	spike_state_step(s->series, bin, value, &found);
	step->ended = found.ended;
	if (found.ended)
		step->over = to_alarm(s, &found.over);
}

static bool current_spikes(const void *state, struct registry_alarm *alarm)
{
	const struct spikes *s = state;
	struct spike_alarm found;
	if (!spike_state_alarm(s->series, &found))
		return false;
	*alarm = to_alarm(s, &found);
	return true;
}

static void pack_spikes(const void *state, struct buf *to)
{
	spike_state_pack(((const struct spikes *)state)->series, to);
}

static void *unpack_spikes(
    const struct detector_config *config, const void *bytes, size_t len)
{
	struct spike_state *series =
	    spike_state_unpack(&config->spikes, bytes, len);
	if (!series)
		return NULL;
	struct spikes *s = xcalloc(1, sizeof(*s));
	*s = (struct spikes){ config->bin_s, series };
	return s;
}

static void explain_spikes(
    const struct registry_alarm *alarm, bool over, char *text, size_t len)
{
	snprintf(text, len, "%s: %.0f sources in %u s, expected %.1f",
	    over                                 ? "is over"
		: alarm->direction == ALARM_RISE ? "rises"
						 : "falls",
	    alarm->observed, alarm->bin_s, alarm->expected);
}

const struct alarm_detector detector_spikes = {
	.name = "spikes",
	.subject = SUBJECT_SERIES,
	.begin = begin_spikes,
	.end = end_spikes,
	.step = step_spikes,
	.current = current_spikes,
	.pack = pack_spikes,
	.unpack = unpack_spikes,
	.explain = explain_spikes,
};
