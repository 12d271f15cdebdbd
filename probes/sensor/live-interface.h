/* SPDX-License-Identifier: ISC */
/*
 * One interface that is watched: what is known of it, and its rings.  A small
 * ring is always there while the interface is; one that is pressed is helped by
 * a large one, which goes when it has not been needed for a minute.
 */
#pragma once

#include "probes/sensor/interface-state.h"
#include "probes/sensor/live-frame.h"
#include "probes/sensor/packet-ring.h"

#define LIVE_RINGS 6

struct live_settings {
	uint32_t snaplen;
	size_t ring_bytes, ring_most_bytes; /* always; and more under load */
	bool promiscuous;
	struct link_filter *filter; /* NULL: none */
	int epoll_fd;
};

enum live_ring_role { RING_FREE, RING_FIRST, RING_HELPER, RING_LEAVING };
struct live_ring {
	enum live_ring_role role;
	struct packet_ring ring;
	struct monotime since; /* it was last needed, or began to leave */
	bool polled;           /* in the epoll */
};

struct live_interface {
	struct interface_facts facts;
	struct live_ring rings[LIVE_RINGS];
	enum interface_state said; /* the state that was reported */
	struct walltime since_wall;
	struct monotime since;
	bool asked;                 /* a socket is on its way */
	struct monotime ask_again;  /* not before, after one that failed */
	uint64_t captured, dropped; /* of rings that are gone */
	uint64_t unread;            /* captured, and gone with their ring */
	uint64_t lost_before, lost; /* the kernel's, for the device */
	bool lost_known;
	bool stopped;          /* no frame is taken any more */
	struct errmsg trouble; /* why it could not listen; "": nothing */
};

/* Does it want a socket, and of what type?  0: none. */
int live_interface_wants(const struct live_interface *interface,
    const struct live_settings *settings, struct monotime now);
/* One of that type, which it takes over; a negative errno: there is none. */
void live_interface_give(struct live_interface *interface,
    const struct live_settings *settings, int fd, int type,
    struct monotime now);
/* After news of its link. */
void live_interface_follow(struct live_interface *interface,
    const struct live_settings *settings, struct monotime now);
void live_interface_count_lost(
    struct live_interface *interface, const struct netlink_link *link);
/* What time brings: helpers that go, rings that leave.  True: it wants to be
 * called again in a while. */
bool live_interface_tend(struct live_interface *interface,
    const struct live_settings *settings, struct monotime now);
/* No frame is taken from now on; what was comes within two of
 * PACKET_RING_TIMEOUT_MS. */
void live_interface_stop(struct live_interface *interface);
bool live_interface_is_empty(const struct live_interface *interface);
/* Asks the kernel nothing: its counters may be another process's to read. */
void live_interface_close(struct live_interface *interface);

/* Gives frames to fn until count of them were given or none is left; how
 * many. */
typedef void live_frame_fn(
    void *arg, const struct live_frame *frame, struct walltime at);
int live_interface_read(struct live_interface *interface,
    const struct live_settings *settings, int count, live_frame_fn *fn,
    void *arg);

struct live_counts {
	uint64_t captured;       /* by the kernel into rings */
	uint64_t dropped_ring;   /* for want of room in them */
	uint64_t dropped_kernel; /* before */
	uint64_t dropped_own;    /* captured, and not read */
	size_t ring_bytes;
};
void live_interface_counts(
    struct live_interface *interface, struct live_counts *counts);
