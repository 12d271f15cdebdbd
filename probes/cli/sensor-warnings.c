/* SPDX-License-Identifier: ISC */
/*
 * A capture of which a part was not seen or not understood says less than its
 * findings seem to: more than a hundredth is worth a word before them.
 */
#include "probes/cli/sensor-warnings.h"

#define REASONS_NAMED 4
#define IS_WORTH_A_WORD(part, all) ((part) > (all) / 100)

static double percent(uint64_t part, uint64_t all)
{
	return 100.0 * (double)part / (double)all;
}

/* The reasons that may have hidden a packet, the most frequent first. */
static void name_reasons(const uint64_t *reasons, struct buf *to)
{
	bool named[PACKET_REASONS] = { false };
	for (int n = 0; n < REASONS_NAMED; n++) {
		int most = -1;
		for (int i = 0; i < PACKET_REASONS; i++)
			if (!named[i] && reasons[i] > 0 &&
			    packet_reason_hides((enum packet_reason)i) &&
			    (most < 0 || reasons[i] > reasons[most]))
				most = i;
		if (most < 0)
			return;
		named[most] = true;
		buf_printf(to, "%s %llu %s", n ? "," : ":",
		    (unsigned long long)reasons[most],
		    packet_reason_name((enum packet_reason)most));
	}
}

void sensor_warnings_write(const struct report_summary *s, struct buf *to)
{
	const struct engine_counts *c = &s->counts;
	uint64_t hidden = 0;
	for (int i = 0; i < PACKET_REASONS; i++)
		if (packet_reason_hides((enum packet_reason)i))
			hidden += c->reasons[i];
	if (c->packets == 0 && s->filtered > 0)
		buf_printf(to,
		    "the filter let none of %llu packets pass; of what tunnels "
		    "carry it sees the outside\n",
		    (unsigned long long)s->filtered);
	if (IS_WORTH_A_WORD(hidden, c->packets)) {
		buf_printf(to,
		    "%llu of %llu packets (%.1f %%) were not understood",
		    (unsigned long long)hidden, (unsigned long long)c->packets,
		    percent(hidden, c->packets));
		name_reasons(c->reasons, to);
		buf_printf(to, "\n");
	}
	if (IS_WORTH_A_WORD(s->dropped, c->packets + s->dropped))
		buf_printf(to,
		    "%llu of %llu packets (%.1f %%) were dropped before they "
		    "were read\n",
		    (unsigned long long)s->dropped,
		    (unsigned long long)(c->packets + s->dropped),
		    percent(s->dropped, c->packets + s->dropped));
	if (IS_WORTH_A_WORD(s->wrong_times, c->packets))
		buf_printf(to,
		    "%llu of %llu packets (%.1f %%) had a time more than a day "
		    "from those around them\n",
		    (unsigned long long)s->wrong_times,
		    (unsigned long long)c->packets,
		    percent(s->wrong_times, c->packets));
}
