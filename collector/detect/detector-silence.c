/* SPDX-License-Identifier: ISC */
/*
 * A sensor that has gone blind: it watched for as long as a series is learnt,
 * and now has not for half an hour, though its agent calls.  A certainty, not
 * a chance, so there is no run length.  Without this a dead capture looks like
 * a calm network.
 *
 *   alarm when  silent bins in a row * bin >= SILENT_S, at least SILENT_LEAST
 *   over  when  it watches again, or after GIVEN_UP_S: it is intended
 */
#include <stdio.h>
#include <stdlib.h>

#include "collector/detect/alarm-detector.h"
#include "lib/base/clock.h"
#include "lib/base/reader.h"
#include "lib/base/xalloc.h"

#define SILENT_S 1800
#define SILENT_LEAST 2
#define GIVEN_UP_S 86400
#define FORMAT 1

struct silence {
	uint32_t bin_s;
	uint64_t learn;   /* bins that it must have watched */
	uint64_t watched; /* so far, up to that */
	uint64_t silent;  /* in a row */
	uint64_t onset, detected;
	bool on;
};

static uint64_t bins_of(const struct silence *s, uint64_t seconds)
{
	uint64_t bins = (seconds + s->bin_s - 1) / s->bin_s;
	return bins > SILENT_LEAST ? bins : SILENT_LEAST;
}

static void *begin_silence(const struct detector_config *config)
{
	struct silence *s = xcalloc(1, sizeof(*s));
	s->bin_s = config->bin_s;
	s->learn = config->spikes.warmup_bins;
	return s;
}

static void end_silence(void *state)
{
	free(state);
}

static struct registry_alarm alarm_of(const struct silence *s, int64_t ended_ns)
{
	int64_t bin_ns = s->bin_s * NS_PER_S;
	return (struct registry_alarm){
		.bin_s = s->bin_s,
		.direction = ALARM_FALL,
		.onset_ns = (int64_t)s->onset * bin_ns,
		.detected_ns = (int64_t)(s->detected + 1) * bin_ns,
		.ended_ns = ended_ns,
		.observed = 0,
		.expected = 1,
		.test = "silence of a sensor",
	};
}

static void step_silence(void *state, uint64_t bin,
    const struct spike_bin *value, struct detector_step *step)
{
	struct silence *s = state;
	*step = (struct detector_step){ .ended = false };
	if (value->missing)
		return;
	bool watches = value->count > 0;
	if (!watches && s->silent++ == 0)
		s->onset = bin;
	bool tired = s->on && s->silent >= bins_of(s, GIVEN_UP_S);
	if (s->on && (watches || tired)) {
		step->ended = true;
		step->over = alarm_of(s, (int64_t)bin * s->bin_s * NS_PER_S);
		s->on = false;
		s->watched = 0;
	}
	if (watches) {
		s->silent = 0;
		s->watched += s->watched < s->learn;
	} else if (!s->on && s->watched >= s->learn &&
	    s->silent >= bins_of(s, SILENT_S)) {
		s->on = true;
		s->detected = bin;
	}
}

static bool current_silence(const void *state, struct registry_alarm *alarm)
{
	const struct silence *s = state;
	if (s->on)
		*alarm = alarm_of(s, 0);
	return s->on;
}

static void pack_silence(const void *state, struct buf *to)
{
	const struct silence *s = state;
	buf_u8(to, FORMAT);
	buf_be32(to, s->bin_s);
	buf_be64(to, s->watched);
	buf_be64(to, s->silent);
	buf_be64(to, s->onset);
	buf_be64(to, s->detected);
	buf_u8(to, s->on);
}

static void *unpack_silence(
    const struct detector_config *config, const void *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);
	struct silence *s = begin_silence(config);
	bool known = reader_u8(&r) == FORMAT && reader_be32(&r) == s->bin_s;
	s->watched = reader_be64(&r);
	s->silent = reader_be64(&r);
	s->onset = reader_be64(&r);
	s->detected = reader_be64(&r);
	s->on = reader_u8(&r) != 0;
	if (known && r.err == ERR_OK && reader_left(&r) == 0)
		return s;
	free(s);
	return NULL;
}

static void explain_silence(
    const struct registry_alarm *alarm, bool over, char *text, size_t len)
{
	char since[WALLTIME_TEXT_LEN];
	walltime_text((struct walltime){ alarm->onset_ns }, since);
	snprintf(text, len,
	    over ? "watches again, or is not expected to: it was blind since "
		   "%.19sZ"
		 : "is blind since %.19sZ, though its agent calls",
	    since);
}

const struct alarm_detector detector_silence = {
	.name = "silence",
	.subject = SUBJECT_SENSOR,
	.begin = begin_silence,
	.end = end_silence,
	.step = step_silence,
	.current = current_silence,
	.pack = pack_silence,
	.unpack = unpack_silence,
	.explain = explain_silence,
};
