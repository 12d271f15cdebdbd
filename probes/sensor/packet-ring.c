/* SPDX-License-Identifier: ISC */
/*
 * Linux, Documentation/networking/packet_mmap.rst.  A ring is a circle of
 * blocks; a block is the kernel's or ours by its status, and frames lie in it
 * one behind the other.
 *
 * How rings come and go without a frame lost or seen twice.  The group
 * (PACKET_FANOUT) hands each frame to one of its sockets: to the first, and
 * with PACKET_FANOUT_FLAG_ROLLOVER to one with room when that has little.
 * Room means that the block a quarter of the ring ahead is the kernel's.  A
 * ring that joins says of all its blocks that they are ours, and is therefore
 * never chosen while its socket is bound but not yet of the group, and behind a
 * filter that lets nothing through; once it is of the group and the filter
 * open, the blocks are given to the kernel.  A ring that is shut takes the
 * free ones back, and is closed when the last frame has come out.
 *
 * Where the kernel has no room in any, it counts a drop at the first.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probes/sensor/packet-ring.h"

#define BLOCK_BYTES ((uint32_t)64 << 10)
#define FRAME_BYTES 2048 /* only to have a number: V3 packs them */
#define GROUP_KIND ((PACKET_FANOUT_CBPF | PACKET_FANOUT_FLAG_ROLLOVER) << 16)

static struct tpacket_hdr_v1 *head_of(
    const struct packet_ring *ring, uint32_t block)
{
	struct tpacket_block_desc *b =
	    (void *)(ring->memory + (size_t)block * BLOCK_BYTES);
	return &b->hdr.bh1;
}

static bool is_ours(const struct packet_ring *ring, uint32_t block)
{
	return __atomic_load_n(
		   &head_of(ring, block)->block_status, __ATOMIC_ACQUIRE) &
	    TP_STATUS_USER;
}

static void set_status(
    const struct packet_ring *ring, uint32_t block, uint32_t status)
{
	__atomic_store_n(
	    &head_of(ring, block)->block_status, status, __ATOMIC_RELEASE);
}

static int set_option(int fd, int name, const void *value, socklen_t size)
{
	return setsockopt(fd, SOL_PACKET, name, value, size) == 0 ? 0 : -errno;
}

static int set_filter(int fd, uint32_t most_octets)
{
	struct sock_filter all = { BPF_RET | BPF_K, 0, 0, most_octets };
	const struct sock_fprog program = { 1, &all };
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
		   sizeof(program)) == 0
	    ? 0
	    : -errno;
}

static int map_ring(struct packet_ring *ring, size_t bytes)
{
	const int version = TPACKET_V3, room = PACKET_RING_ROOM;
	ring->blocks = (uint32_t)((bytes + BLOCK_BYTES - 1) / BLOCK_BYTES);
	if (ring->blocks < 8)
		ring->blocks = 8;
	const struct tpacket_req3 wanted = {
		.tp_block_size = BLOCK_BYTES,
		.tp_block_nr = ring->blocks,
		.tp_frame_size = FRAME_BYTES,
		.tp_frame_nr = ring->blocks * (BLOCK_BYTES / FRAME_BYTES),
		.tp_retire_blk_tov = PACKET_RING_TIMEOUT_MS,
	};
	int err =
	    set_option(ring->fd, PACKET_VERSION, &version, sizeof(version));
	if (err < 0)
		return err;
	err = set_option(ring->fd, PACKET_RESERVE, &room, sizeof(room));
	if (err < 0)
		return err;
	err = set_option(ring->fd, PACKET_RX_RING, &wanted, sizeof(wanted));
	if (err < 0)
		return err;
	ring->bytes = (size_t)ring->blocks * BLOCK_BYTES;
	void *memory = mmap(
	    NULL, ring->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	ring->memory = memory;
	return 0;
}

static int bind_to(int fd, uint32_t ifindex)
{
	const struct sockaddr_ll at = { .sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)ifindex };
	int err = 0;
	socklen_t size = sizeof(err);
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) != 0)
		return -errno;
	return -err;
}

static int join_group(
    struct packet_ring *ring, const struct packet_ring *beside)
{
	int kind = GROUP_KIND | PACKET_FANOUT_FLAG_UNIQUEID << 16;
	socklen_t size = sizeof(kind);
	if (beside)
		kind = GROUP_KIND | beside->group;
	int err = set_option(ring->fd, PACKET_FANOUT, &kind, sizeof(kind));
	if (err < 0)
		return err;
	if (getsockopt(ring->fd, SOL_PACKET, PACKET_FANOUT, &kind, &size) != 0)
		return -errno;
	ring->group = kind & 0xffff;
	return 0;
}

/* All blocks at once: the one that is looked at to tell whether there is room
 * is the last. */
static void set_all(const struct packet_ring *ring, uint32_t status)
{
	for (uint32_t i = ring->blocks; i > 0; i--)
		set_status(
		    ring, (i - 1 + ring->blocks / 4) % ring->blocks, status);
}

static int listen_by(
    struct packet_ring *ring, const struct packet_ring_config *config)
{
	int err = map_ring(ring, config->bytes);
	if (err < 0)
		return err;
	err = set_filter(ring->fd, config->beside ? 0 : config->snaplen);
	if (err < 0)
		return err;
	if (config->beside)
		set_all(ring, TP_STATUS_USER);
	err = bind_to(ring->fd, config->ifindex);
	if (err < 0)
		return err;
	const struct packet_mreq promiscuous = {
		.mr_ifindex = (int)config->ifindex, .mr_type = PACKET_MR_PROMISC
	};
	if (config->promiscuous && config->ifindex > 0)
		set_option(ring->fd, PACKET_ADD_MEMBERSHIP, &promiscuous,
		    sizeof(promiscuous)); /* or as the device allows */
	err = join_group(ring, config->beside);
	if (err < 0 || !config->beside)
		return err;
	err = set_filter(ring->fd, config->snaplen);
	if (err == 0)
		set_all(ring, TP_STATUS_KERNEL);
	return err;
}

int packet_ring_open(struct packet_ring *ring, int fd, int type,
    const struct packet_ring_config *config)
{
	*ring = (struct packet_ring){ .fd = fd, .type = type };
	int err = listen_by(ring, config);
	if (err < 0)
		packet_ring_close(ring);
	return err;
}

void packet_ring_close(struct packet_ring *ring)
{
	if (ring->memory)
		munmap(ring->memory, ring->bytes);
	if (ring->fd >= 0)
		close(ring->fd);
	ring->memory = NULL;
	ring->fd = -1;
}

/* Back to the kernel, which counts its frames from zero when it comes to it:
 * until then there are none.  Of a ring that is shut it stays ours. */
static void give_back(struct packet_ring *ring)
{
	__atomic_store_n(
	    &head_of(ring, ring->block)->num_pkts, 0, __ATOMIC_RELAXED);
	if (!ring->shut)
		set_status(ring, ring->block, TP_STATUS_KERNEL);
	ring->block = (ring->block + 1) % ring->blocks;
	ring->reading = false;
}

void packet_ring_release(struct packet_ring *ring)
{
	if (ring->reading && ring->left == 0)
		give_back(ring);
}

/* The kernel hands over no empty block; ours in a ring that is shut are. */
static bool begin_block(struct packet_ring *ring)
{
	const struct tpacket_hdr_v1 *head = head_of(ring, ring->block);
	if (!is_ours(ring, ring->block))
		return false;
	ring->left = head->num_pkts;
	ring->at = head->offset_to_first_pkt;
	ring->reading = ring->left > 0;
	return ring->reading;
}

static void read_frame(uint8_t *start, struct packet_frame *frame)
{
	struct tpacket3_hdr h;
	struct sockaddr_ll from;
	memcpy(&h, start, sizeof(h));
	memcpy(&from, start + TPACKET_ALIGN(sizeof(h)), sizeof(from));
	*frame = (struct packet_frame){
		.bytes = start + h.tp_mac,
		.caplen = h.tp_snaplen,
		.wirelen = h.tp_len,
		.at = { h.tp_sec * NS_PER_S + h.tp_nsec },
		.ifindex = (uint32_t)from.sll_ifindex,
		.protocol = ntohs(from.sll_protocol),
		.hardware = from.sll_hatype,
		.cast = from.sll_pkttype,
		.address_len = from.sll_halen,
		.has_tag = (h.tp_status & TP_STATUS_VLAN_VALID) != 0,
		.tag = (uint16_t)h.hv1.tp_vlan_tci,
		.tag_type = h.tp_status & TP_STATUS_VLAN_TPID_VALID
		    ? h.hv1.tp_vlan_tpid
		    : ETH_P_8021Q,
	};
	memcpy(frame->address, from.sll_addr, sizeof(frame->address));
}

bool packet_ring_next(struct packet_ring *ring, struct packet_frame *frame)
{
	packet_ring_release(ring);
	if (!ring->reading && !begin_block(ring))
		return false;
	uint8_t *start =
	    ring->memory + (size_t)ring->block * BLOCK_BYTES + ring->at;
	read_frame(start, frame);
	uint32_t next;
	memcpy(&next, start + offsetof(struct tpacket3_hdr, tp_next_offset),
	    sizeof(next));
	/* The kernel wrote it on another processor. */
	__builtin_prefetch(start + next);
	__builtin_prefetch(start + next + 128);
	ring->at += next;
	ring->left--;
	ring->taken++;
	return true;
}

int64_t packet_ring_next_ns(const struct packet_ring *ring)
{
	uint32_t block = ring->block;
	if (ring->reading && ring->left == 0)
		block = (block + 1) % ring->blocks;
	const struct tpacket_hdr_v1 *head = head_of(ring, block);
	if (!is_ours(ring, block) || head->num_pkts == 0)
		return INT64_MAX;
	return (int64_t)head->ts_first_pkt.ts_sec * NS_PER_S +
	    head->ts_first_pkt.ts_nsec;
}

bool packet_ring_is_pressed(const struct packet_ring *ring)
{
	uint32_t ahead = (ring->block + ring->blocks / 4) % ring->blocks;
	return is_ours(ring, ahead);
}

void packet_ring_shut(struct packet_ring *ring)
{
	uint32_t i = 0;
	packet_ring_release(ring);
	ring->shut = true;
	/* Behind those that are full comes the one that is being filled. */
	while (
	    i < ring->blocks && is_ours(ring, (ring->block + i) % ring->blocks))
		i++;
	while (++i < ring->blocks)
		set_status(
		    ring, (ring->block + i) % ring->blocks, TP_STATUS_USER);
}

void packet_ring_stop(struct packet_ring *ring)
{
	set_filter(ring->fd, 0);
}

bool packet_ring_is_empty(const struct packet_ring *ring)
{
	if (ring->reading && ring->left > 0)
		return false;
	uint32_t block = ring->block;
	if (ring->reading)
		block = (block + 1) % ring->blocks;
	return __atomic_load_n(
		   &head_of(ring, block)->num_pkts, __ATOMIC_ACQUIRE) == 0;
}

void packet_ring_count(struct packet_ring *ring)
{
	struct tpacket_stats_v3 news;
	socklen_t size = sizeof(news);
	if (getsockopt(ring->fd, SOL_PACKET, PACKET_STATISTICS, &news, &size) !=
	    0)
		return;
	/* Both begin from zero at each look; the first counts the dropped
	 * ones too. */
	ring->captured += news.tp_packets - news.tp_drops;
	ring->dropped += news.tp_drops;
}

void packet_ring_clear_error(const struct packet_ring *ring)
{
	int err;
	socklen_t size = sizeof(err);
	getsockopt(ring->fd, SOL_SOCKET, SO_ERROR, &err, &size);
}
