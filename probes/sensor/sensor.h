/* SPDX-License-Identifier: ISC */
/*
 * The sensor as a process: open what needs privilege, give everything up,
 * then read packets and report what they were.  Hostile bytes are parsed only
 * after sandbox_enter.
 *
 *	sensor_open(&capture, &opening, &msg);       as root
 *	sandbox_enter(SANDBOX_SENSOR, ...);
 *	sensor_run(capture, &config, &msg);          until *config.stop
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/err.h"

struct counters;

#define SENSOR_INTERFACES_MAX 8 /* files among them */
#define SENSOR_SOURCES_MAX (1 << 20)

struct sensor_opening {
	/* Names of interfaces, "any", or "file:PATH" (a capture file or a
	 * FIFO that one is written into). */
	const char *const *interfaces;
	size_t interface_count; /* 1..SENSOR_INTERFACES_MAX */
	const char *filter;     /* in pcap-filter(7), or NULL */
	uint32_t snaplen;       /* 0: 2048 */
	/* The ring of an interface, and its most, under load. */
	uint32_t buffer_bytes, buffer_most_bytes; /* 0: 2 and 32 MiB */
	bool promiscuous;
	int places_fd; /* how far files were read (file-places.h), borrowed;
			  -1: not kept */
	int feed_fd;   /* where fresh sockets come from (packet-feed.h),
			  borrowed; -1: nowhere */
};

/* The counter of interfaces and files that are watched now; whoever knows that
 * the sensor is dead sets it to 0. */
#define SENSOR_WATCHING "sensor.watching"

struct sensor_capture;
/* Everything that needs privilege.  -EPERM names the line that grants it. */
int sensor_open(struct sensor_capture **capture,
    const struct sensor_opening *opening, struct errmsg *msg);
void sensor_close(struct sensor_capture *capture);

struct sensor_config {
	int record_fd; /* frames of Sightings and Payloads, whole ones in
			  each write (probes/ipc/frame-batch.h); a pipe or
			  a SOCK_SEQPACKET; -1: none */
	struct counters *counters; /* NULL: not counted */
	uint32_t interval_s;  /* 0: 60; aligned to wall time at the start */
	uint32_t max_sources; /* 0: 32768; at most SENSOR_SOURCES_MAX */
	const struct prefix *homes; /* whose own packets are not held against
				       them; may be NULL */
	size_t home_count;
	const volatile sig_atomic_t *stop; /* set by a signal handler */
};

/* Runs until *stop, or until a file ends (ERR_OK), or until record_fd or a
 * capture fails.  Closes the open interval before it returns. */
int sensor_run(struct sensor_capture *capture,
    const struct sensor_config *config, struct errmsg *msg);
