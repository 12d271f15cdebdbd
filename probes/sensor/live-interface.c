/* SPDX-License-Identifier: ISC */
/*
 * A ring that leaves, because its interface is gone or it is not needed, is
 * read to its end: the kernel hands over what it has of a block after
 * PACKET_RING_TIMEOUT_MS.
 */
#include "probes/sensor/live-interface.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LEAVE_NS (3 * PACKET_RING_TIMEOUT_MS * NS_PER_MS)
#define LEAVE_MOST_NS (5 * NS_PER_S)
#define UNNEEDED_NS (60 * NS_PER_S)
#define ANY_HARDWARE 0xffff /* without a link header */
#define AGAIN_NS (1 * NS_PER_S)

static struct live_ring *find_ring(
    struct live_interface *i, enum live_ring_role role)
{
	for (size_t n = 0; n < LIVE_RINGS; n++)
		if (i->rings[n].role == role)
			return &i->rings[n];
	return NULL;
}

static const struct live_ring *has_ring(
    const struct live_interface *i, enum live_ring_role role)
{
	return find_ring((struct live_interface *)i, role);
}

/* A block is ready when the descriptor is readable; one that is shut always
 * is. */
static void poll_ring(
    const struct live_settings *s, struct live_ring *r, bool wanted)
{
	struct epoll_event event = { .events = EPOLLIN };
	event.data.fd = r->ring.fd;
	if (r->polled != wanted &&
	    epoll_ctl(s->epoll_fd, wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
		r->ring.fd, &event) == 0)
		r->polled = wanted;
}

static void end_ring(struct live_interface *i, struct live_ring *r)
{
	packet_ring_count(&r->ring);
	i->captured += r->ring.captured;
	i->dropped += r->ring.dropped;
	i->unread += r->ring.captured - r->ring.taken;
	packet_ring_close(&r->ring); /* leaves the epoll too */
	*r = (struct live_ring){ .role = RING_FREE };
}

static void leave_ring(
    const struct live_settings *s, struct live_ring *r, struct monotime now)
{
	if (r->role == RING_HELPER)
		packet_ring_shut(&r->ring);
	poll_ring(s, r, false);
	r->role = RING_LEAVING;
	r->since = now;
}

static void leave_all(struct live_interface *i, const struct live_settings *s,
    struct monotime now)
{
	for (size_t n = 0; n < LIVE_RINGS; n++)
		if (i->rings[n].role == RING_FIRST ||
		    i->rings[n].role == RING_HELPER) {
			packet_ring_stop(&i->rings[n].ring);
			leave_ring(s, &i->rings[n], now);
		}
	interface_listens(&i->facts, false);
}

static bool wants_help(
    const struct live_interface *i, const struct live_settings *s)
{
	const struct live_ring *first = has_ring(i, RING_FIRST);
	return first && s->ring_most_bytes > s->ring_bytes &&
	    !has_ring(i, RING_HELPER) && has_ring(i, RING_FREE) &&
	    packet_ring_is_pressed(&first->ring);
}

int live_interface_wants(const struct live_interface *i,
    const struct live_settings *s, struct monotime now)
{
	if (i->asked || i->stopped || monotime_before(now, i->ask_again))
		return 0;
	if (interface_next(&i->facts) == INTERFACE_LISTEN)
		return i->facts.all ? SOCK_DGRAM
				    : live_frame_socket(i->facts.type);
	return wants_help(i, s) ? has_ring(i, RING_FIRST)->ring.type : 0;
}

static int open_ring(struct live_interface *i, const struct live_settings *s,
    int fd, int type, struct monotime now)
{
	struct live_ring *first = find_ring(i, RING_FIRST);
	struct live_ring *r = find_ring(i, RING_FREE);
	const struct packet_ring_config config = {
		.ifindex = i->facts.all ? 0 : i->facts.index,
		.snaplen = s->snaplen,
		.bytes =
		    first ? s->ring_most_bytes - s->ring_bytes : s->ring_bytes,
		.promiscuous = s->promiscuous,
		.beside = first ? &first->ring : NULL,
	};
	if (!r) {
		close(fd);
		return -EBUSY;
	}
	int err = packet_ring_open(&r->ring, fd, type, &config);
	if (err < 0)
		return err;
	r->role = first ? RING_HELPER : RING_FIRST;
	r->since = now;
	poll_ring(s, r, true);
	return 0;
}

void live_interface_give(struct live_interface *i,
    const struct live_settings *s, int fd, int type, struct monotime now)
{
	bool listens = interface_next(&i->facts) == INTERFACE_LISTEN;
	i->asked = false;
	if (fd >= 0 && live_interface_wants(i, s, now) != type) {
		close(fd); /* what it was for is over */
		return;
	}
	int err = fd < 0
	    ? fd
	    : live_frame_check_filter(s->filter,
		  i->facts.all ? ANY_HARDWARE : i->facts.type, &i->trouble);
	if (fd >= 0 && err < 0)
		close(fd);
	else if (fd >= 0)
		err = open_ring(i, s, fd, type, now);
	if (err == 0) {
		i->trouble.text[0] = '\0';
		if (listens)
			interface_listens(&i->facts, true);
		return;
	}
	i->ask_again = monotime_add(now, AGAIN_NS);
	if (err != ERR_USAGE)
		err_set(&i->trouble, err, "%s", err_str(err));
}

void live_interface_follow(struct live_interface *i,
    const struct live_settings *s, struct monotime now)
{
	if (interface_next(&i->facts) == INTERFACE_LEAVE) {
		leave_all(i, s, now);
		i->lost_known = false;
		i->ask_again = now;
	}
	for (size_t n = 0; n < LIVE_RINGS; n++)
		if (i->rings[n].role != RING_FREE)
			packet_ring_clear_error(&i->rings[n].ring);
}

void live_interface_count_lost(
    struct live_interface *i, const struct netlink_link *link)
{
	if (!link->has_counts || link->index != i->facts.listening)
		return;
	if (i->lost_known && link->lost > i->lost_before)
		i->lost += link->lost - i->lost_before;
	i->lost_before = link->lost;
	i->lost_known = true;
}

static bool tend_ring(struct live_interface *i, const struct live_settings *s,
    struct live_ring *r, struct monotime now)
{
	int64_t idle_ns = monotime_diff(now, r->since);
	if (r->role == RING_HELPER && idle_ns > UNNEEDED_NS)
		leave_ring(s, r, now);
	if (r->role != RING_LEAVING || idle_ns < LEAVE_NS)
		return r->role == RING_LEAVING;
	if (!packet_ring_is_empty(&r->ring) && idle_ns < LEAVE_MOST_NS)
		return true;
	end_ring(i, r);
	return false;
}

bool live_interface_tend(struct live_interface *i,
    const struct live_settings *s, struct monotime now)
{
	bool again = false;
	for (size_t n = 0; n < LIVE_RINGS; n++)
		again |= tend_ring(i, s, &i->rings[n], now);
	return again;
}

void live_interface_stop(struct live_interface *i)
{
	i->stopped = true;
	for (size_t n = 0; n < LIVE_RINGS; n++)
		if (i->rings[n].role != RING_FREE)
			packet_ring_stop(&i->rings[n].ring);
}

bool live_interface_is_empty(const struct live_interface *i)
{
	for (size_t n = 0; n < LIVE_RINGS; n++)
		if (i->rings[n].role != RING_FREE &&
		    !packet_ring_is_empty(&i->rings[n].ring))
			return false;
	return true;
}

void live_interface_close(struct live_interface *i)
{
	for (size_t n = 0; n < LIVE_RINGS; n++)
		if (i->rings[n].role != RING_FREE)
			packet_ring_close(&i->rings[n].ring);
}

/* The one whose next frames are the oldest. */
static struct live_ring *oldest_ring(struct live_interface *i)
{
	struct live_ring *best = NULL;
	int64_t best_ns = INT64_MAX;
	for (size_t n = 0; n < LIVE_RINGS; n++) {
		struct live_ring *r = &i->rings[n];
		if (r->role == RING_FREE)
			continue;
		int64_t ns = r->ring.reading && r->ring.left > 0
		    ? 0
		    : packet_ring_next_ns(&r->ring);
		if (ns < best_ns) {
			best = r;
			best_ns = ns;
		}
	}
	return best;
}

int live_interface_read(struct live_interface *i, const struct live_settings *s,
    int count, live_frame_fn *fn, void *arg)
{
	struct packet_frame frame;
	struct live_frame cooked;
	struct live_ring *r;
	int given = 0;
	while (given < count && (r = oldest_ring(i))) {
		if (r->role == RING_HELPER)
			r->since = monotime_now();
		/* To the end of a block. */
		do {
			if (!packet_ring_next(&r->ring, &frame))
				break;
			if (!live_frame_read(
				&cooked, &frame, r->ring.type, s->filter))
				continue;
			fn(arg, &cooked, frame.at);
			given++;
		} while (given < count && r->ring.left > 0);
		packet_ring_release(&r->ring);
	}
	return given;
}

void live_interface_counts(struct live_interface *i, struct live_counts *counts)
{
	*counts = (struct live_counts){ .captured = i->captured,
		.dropped_ring = i->dropped,
		.dropped_kernel = i->lost,
		.dropped_own = i->unread };
	for (size_t n = 0; n < LIVE_RINGS; n++) {
		struct live_ring *r = &i->rings[n];
		if (r->role == RING_FREE)
			continue;
		packet_ring_count(&r->ring);
		counts->captured += r->ring.captured;
		counts->dropped_ring += r->ring.dropped;
		counts->ring_bytes += r->ring.bytes;
	}
}
