/* SPDX-License-Identifier: ISC */
/*
 * What scamper's two forms, its files (warts.c) and the JSON that
 * sc_warts2json makes of them (scamper.c), say alike of our records.
 *
 * scamper knows replies and silence.  What came after the wait of a ping is
 * silence to it, as is a reply that may be another probe's; what was not sent
 * has no place.
 */
#pragma once

#include "lib/formats/reply-text.h"
#include "lib/record/record.h"

/* The list and its one cycle that all measurements of a file belong to. */
#define SCAMPER_LIST_NAME "sonde"

bool scamper_has_hop(const Sonde__Trace *trace, const Sonde__Reply *reply);
bool scamper_has_reply(const Sonde__Ping *ping, const Sonde__Reply *reply);
/* It tells of the target, in scamper's eyes, and has a round trip. */
bool scamper_is_answer(const Sonde__Ping *ping, const Sonde__Reply *reply);

/* When the first probe left and the last reply came; where the policy let none
 * leave, when the record was made: the forms have no measurement without. */
struct scamper_times {
	int64_t start_ns, end_ns;
};
struct scamper_times scamper_times_of(
    int64_t record_wall_ns, Sonde__Reply *const *replies, size_t count);
/* Of a trace or ping; zeros of other records. */
struct scamper_times scamper_record_times(const Sonde__Record *record);

/* Whole seconds, rounded up, at most 255. */
uint8_t scamper_seconds(uint64_t ns);
/* Why a trace stopped: scamper's number and name. */
struct scamper_stop {
	uint8_t number;
	const char *name;
};
struct scamper_stop scamper_stop_of(const char *stop_reason);
/* The ICMP code that says no, where that is why it stopped; else 0. */
uint8_t scamper_stop_data(const Sonde__Trace *trace);
