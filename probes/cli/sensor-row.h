/* SPDX-License-Identifier: ISC */
/* A finding as a line of NDJSON or of CSV, quickly: a large capture has many.
 */
#pragma once

#include "lib/base/clock.h"
#include "probes/sensor/detect/known-scanners.h"
#include "probes/sensor/finding.h"

#define SENSOR_SCHEMA "sonde-sensor/1"
/* Names and values of a finding: each has a bound, and the sum of the bounds is
 * less. */
#define SENSOR_ROW_MOST 2048

/* The text of a second, up to its fraction. */
struct sensor_second {
	int64_t second;
	char text[WALLTIME_TEXT_LEN];
};
#define SENSOR_SECONDS 64

/* What is kept from row to row; starts with zeros. */
struct sensor_row {
	const struct known_scanners *scanners; /* to name them; NULL: none */
	struct sensor_second seconds[SENSOR_SECONDS];
};

/* Write to `to`, which has room for SENSOR_ROW_MOST; return the end. */
char *sensor_row_json(
    struct sensor_row *row, char *to, const struct finding *finding);
char *sensor_row_csv(
    struct sensor_row *row, char *to, const struct finding *finding);
/* CSV's first line. */
extern const char sensor_row_titles[];

/* "tcp"; of protocols without a name "ip-47", written to `to`. */
const char *sensor_proto_name(int proto, char to[static 8]);
