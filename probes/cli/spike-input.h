/* SPDX-License-Identifier: ISC */
/*
 * A whole table for `sonde spikes`: who was seen when, as series of signatures
 * and ports.
 */
#pragma once

#include "analysis/spikes.h"
#include "probes/cli/spike-rows.h"

/* A source was seen at some time, or several. */
struct sighting {
	uint32_t series; /* index */
	int64_t ns;      /* since 1970; later the bin since then */
	union {
		uint64_t source; /* hash */
		double count;
	};
};

struct port_series {
	char *signature; /* "" is none */
	int port;        /* or SPIKE_NO_PORT */
};

struct spike_input {
	const char *path;
	struct spike_choice choice;
	struct sighting *list;
	size_t count;
	struct port_series *series;
	size_t series_count;
	uint32_t *places; /* by hash: index + 1, 0 is none */
	size_t place_count;
	int64_t bin_ns; /* set by the caller, as path and choice are */
	int64_t first_bin, last_bin;
	int64_t last_ns;
	double run_length; /* promised of all series together */
	bool counts;       /* rows say how many, not who */
	bool days_only;    /* all times are dates */
	uint64_t bad, bad_line;
	struct errmsg bad_why;
};

/* The rows of in->path, in time order, their times as bins.  Says on standard
 * error what it took for what, which rows are bad, and which it set aside. */
int spike_input_load(struct spike_input *in, struct errmsg *msg);
void spike_input_fini(struct spike_input *in);
/* By series, then time. */
void spike_input_sort(struct spike_input *in);

/* Distinct sources, or the sum, of the series that begins at `from`; how many
 * sightings belong to it. */
size_t spike_input_count(const struct spike_input *in,
    const struct sighting *from, const struct sighting *end,
    struct spike_bin *bins);
/* Bins without any row are missing. */
void spike_input_mark_gaps(
    const struct spike_input *in, struct spike_bin *bins, size_t count);
