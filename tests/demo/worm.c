/* SPDX-License-Identifier: ISC */
/*
 * The shape of a worm, without the worm: packets that a signature matches and
 * inert filler, from a growing number of sources, to dark prefixes of the
 * lab.  Bounded in time and count, and it refuses to send from anywhere but a
 * named network namespace, which the machine's own is not.  With --pcap it writes the
 * packets to a file or FIFO, in real time, instead of sending them.
 */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/addr.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/option/option.h"
#include "lib/packet/packet.h"

#define TARGETS_MAX 16
#define TICK_NS (20 * NS_PER_MS)

struct shape {
	const char *name;
	void (*build)(struct buf *b, uint32_t random, const struct addr *dst);
	uint8_t proto;
	uint8_t ttl;
};

struct worm {
	const struct shape *shape;
	struct prefix from, to[TARGETS_MAX];
	size_t to_count;
	int64_t sources, seeds;
	double rate_pps, doubling_s;
	int64_t for_ns, max_packets;
	uint64_t random;
	int fd;
	pcap_dumper_t *pcap;
};

static uint32_t next_random(struct worm *w)
{
	w->random = w->random * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (uint32_t)(w->random >> 32);
}

/* SQL Slammer as a sensor knows it: 376 octets to UDP 1434 that begin with 4
 * and hold three marks; the rest is the letter A. */
static void build_slammer(
    struct buf *b, uint32_t random, const struct addr *dst)
{
	static const uint8_t mark[] = {
	    0x81, 0xf1, 0x03, 0x01, 0x04, 0x9b, 0x81, 0xf1, 0x01};
	uint8_t payload[376];
	(void)dst;
	memset(payload, 'A', sizeof(payload));
	payload[0] = 0x04;
	memset(payload + 1, 0x01, 96);
	memcpy(payload + 150, mark, sizeof(mark));
	memcpy(payload + 200, "sock", 4);
	memcpy(payload + 220, "send", 4);
	buf_be16(b, (uint16_t)(1024 + random % 60000));
	buf_be16(b, 1434);
	buf_be16(b, 8 + sizeof(payload));
	buf_be16(b, 0); /* no UDP checksum: legal in IPv4 */
	buf_bytes(b, payload, sizeof(payload));
}

/* Mirai's scanner: a bare SYN whose sequence number is its destination. */
static void build_mirai(struct buf *b, uint32_t random, const struct addr *dst)
{
	buf_be16(b, (uint16_t)(1024 + random % 60000));
	buf_be16(b, random % 10 == 0 ? 2323 : 23);
	buf_bytes(b, dst->bytes, 4);
	buf_be32(b, 0);
	buf_u8(b, 5 << 4);
	buf_u8(b, PACKET_TCP_SYN);
	buf_be16(b, (uint16_t)(random >> 16 | 1));
	buf_be32(b, 0);
}

static const struct shape shapes[] = {
    {"slammer", build_slammer, PACKET_UDP, 113},
    {"mirai", build_mirai, PACKET_TCP, 57},
};

static void patch_be16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void tcp_checksum(struct buf *b, const struct addr *src,
    const struct addr *dst)
{
	uint8_t *tcp = b->data + 20;
	size_t len = b->len - 20;
	uint8_t tail[4] = {0, PACKET_TCP, (uint8_t)(len >> 8), (uint8_t)len};
	uint32_t sum = packet_sum(0, src->bytes, 4);
	sum = packet_sum(sum, dst->bytes, 4);
	sum = packet_sum(sum, tail, 4);
	patch_be16(tcp + 16, packet_fold(packet_sum(sum, tcp, len)));
}

static void build_packet(struct worm *w, struct buf *b,
    const struct addr *src, const struct addr *dst)
{
	buf_clear(b);
	buf_be16(b, 0x4500);
	buf_be16(b, 0);
	buf_be16(b, (uint16_t)next_random(w));
	buf_be16(b, 0);
	buf_u8(b, w->shape->ttl);
	buf_u8(b, w->shape->proto);
	buf_be16(b, 0);
	buf_bytes(b, src->bytes, 4);
	buf_bytes(b, dst->bytes, 4);
	w->shape->build(b, next_random(w), dst);
	patch_be16(b->data + 2, (uint16_t)b->len);
	patch_be16(b->data + 10, packet_fold(packet_sum(0, b->data, 20)));
	if (w->shape->proto == PACKET_TCP)
		tcp_checksum(b, src, dst);
}

static struct addr pick(const struct prefix *p, uint32_t n)
{
	uint32_t hosts = p->len >= 32 ? 1 : UINT32_C(1) << (32 - p->len);
	uint32_t inside = hosts > 2 ? 1 + n % (hosts - 2) : 0;
	return addr_v4(addr_v4_value(&p->addr) + inside);
}

static int send_one(struct worm *w, struct buf *b, uint32_t source)
{
	struct addr src = pick(&w->from, source);
	const struct prefix *net = &w->to[next_random(w) % w->to_count];
	struct addr dst = pick(net, next_random(w));
	build_packet(w, b, &src, &dst);
	if (w->pcap) {
		struct timespec now;
		clock_gettime(CLOCK_REALTIME, &now);
		struct pcap_pkthdr head = {
		    .ts = {now.tv_sec, now.tv_nsec / 1000},
		    .caplen = (uint32_t)b->len,
		    .len = (uint32_t)b->len,
		};
		pcap_dump((u_char *)w->pcap, &head, b->data);
		return ferror(pcap_dump_file(w->pcap)) ? -EPIPE : 0;
	}
	struct sockaddr_in to = {.sin_family = AF_INET};
	memcpy(&to.sin_addr, dst.bytes, 4);
	if (sendto(w->fd, b->data, b->len, 0, (struct sockaddr *)&to,
		sizeof(to)) < 0 && errno != ENOBUFS && errno != EAGAIN)
		return -errno;
	return 0;
}

/* Every infected source sends at the same rate; their number doubles until
 * all are. */
static int spread(struct worm *w)
{
	struct monotime start = monotime_now();
	struct buf b = {0};
	double owed = 0;
	int64_t sent = 0;
	int err = 0;
	while (err == 0 && sent < w->max_packets) {
		int64_t at = monotime_diff(monotime_now(), start);
		if (at >= w->for_ns)
			break;
		double infected = (double)w->seeds *
		    exp2((double)at / NS_PER_S / w->doubling_s);
		if (infected > (double)w->sources)
			infected = (double)w->sources;
		owed += infected * w->rate_pps * TICK_NS / NS_PER_S;
		for (; owed >= 1 && err == 0 && sent < w->max_packets;
		     owed--, sent++)
			err = send_one(w, &b,
			    next_random(w) % (uint32_t)infected);
		if (w->pcap)
			pcap_dump_flush(w->pcap);
		nanosleep(&(struct timespec){0, TICK_NS}, NULL);
	}
	buf_fini(&b);
	return err;
}

/* A lab's namespaces have names (ip-netns(8)); the machine's own has none. */
static bool in_named_namespace(void)
{
	struct stat ours, named;
	struct dirent *entry;
	bool found = false;
	DIR *names = opendir("/run/netns");
	if (stat("/proc/self/ns/net", &ours) != 0)
		ours.st_ino = 0;
	while (names && !found && (entry = readdir(names)))
		found = fstatat(dirfd(names), entry->d_name, &named, 0) == 0 &&
		    named.st_ino == ours.st_ino && named.st_dev == ours.st_dev;
	if (names)
		closedir(names);
	return found;
}

static int open_output(struct worm *w, const char *pcap, struct errmsg *msg)
{
	if (pcap) {
		pcap_t *dead = pcap_open_dead(DLT_RAW, 65535);
		w->pcap = pcap_dump_open(dead, pcap);
		if (!w->pcap)
			return err_set(msg, -EIO, "%s: %s", pcap,
			    pcap_geterr(dead));
		return pcap_dump_flush(w->pcap);
	}
	if (!in_named_namespace())
		return err_set(msg, ERR_DENIED, "this is not a named "
		    "network namespace; run it in a lab (ip netns exec)");
	w->fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (w->fd < 0)
		return err_set(msg, -errno, "raw socket: %s", strerror(errno));
	return 0;
}

static const struct option_row rows[] = {
    {"shape", 0, OPTION_CHOICE, "NAME", "slammer|mirai", 0, 0, "slammer",
	"which signature the packets carry"},
    {"from", 0, OPTION_PREFIX, "PREFIX", NULL, 0, 0, NULL,
	"where the sources live (IPv4)"},
    {"sources", 0, OPTION_INTEGER, "N", NULL, 1, 5000, "100",
	"how many there are in the end"},
    {"seeds", 0, OPTION_INTEGER, "N", NULL, 1, 5000, "2",
	"how many there are at first"},
    {"doubling", 0, OPTION_DURATION, "TIME", NULL, 0, 0, "5s",
	"time in which their number doubles"},
    {"rate", 0, OPTION_NUMBER, "PPS", NULL, 0.01, 50, "1",
	"packets that each source sends a second"},
    {"for", 0, OPTION_DURATION, "TIME", NULL, 0, 0, "30s", "then stop"},
    {"max-packets", 0, OPTION_INTEGER, "N", NULL, 1, 200000, "20000",
	"stop at the latest after so many"},
    {"seed", 0, OPTION_INTEGER, "N", NULL, 1, 2147483647, "1",
	"seed of all randomness"},
    {"pcap", 0, OPTION_TEXT, "FILE", NULL, 0, 0, NULL,
	"write to a capture file or FIFO instead of sending"},
    {0},
};

static const struct option_table table = {
    .program = "worm",
    .synopsis = "--from PREFIX [OPTION...] DARK-PREFIX...",
    .summary = "send a worm's probes, inert, inside a lab",
    .examples = "worm --from 11.66.0.0/22 --for 20s 11.200.0.0/20",
    .rows = rows,
    .operands_min = 1,
    .operands_max = TARGETS_MAX,
};

static int setup(
    struct worm *w, const struct option_values *given, struct errmsg *msg)
{
	const char *const *nets;
	const char *from = option_text(given, "from");
	const char *shape = option_text(given, "shape");
	int err = from ? prefix_parse(&w->from, from, msg)
		       : err_set(msg, ERR_USAGE, "--from is missing");
	w->to_count = option_operands(given, &nets);
	for (size_t i = 0; err == 0 && i < w->to_count; i++)
		err = prefix_parse(&w->to[i], nets[i], msg);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (strcmp(shapes[i].name, shape) == 0)
			w->shape = &shapes[i];
	w->sources = option_integer(given, "sources");
	w->seeds = option_integer(given, "seeds");
	w->doubling_s =
	    (double)option_duration_ns(given, "doubling") / NS_PER_S;
	w->rate_pps = option_number(given, "rate");
	w->for_ns = option_duration_ns(given, "for");
	w->max_packets = option_integer(given, "max-packets");
	w->random = (uint64_t)option_integer(given, "seed");
	if (err == 0)
		err = open_output(w, option_text(given, "pcap"), msg);
	return err;
}

int main(int argc, char **argv)
{
	struct errmsg msg = {""};
	struct option_values *given = NULL;
	struct worm w = {.fd = -1};
	int err = option_parse(&given, &table, argc, argv, &msg);
	if (err == 0 && option_help_asked(given)) {
		fputs(option_help_text(&table), stdout);
		return 0;
	}
	if (err == 0)
		err = setup(&w, given, &msg);
	if (err == 0)
		err = spread(&w);
	if (w.pcap)
		pcap_dump_close(w.pcap);
	option_free(given);
	if (err == 0 || err == -EPIPE)
		return 0;
	fprintf(stderr, "worm: %s\n", msg.text[0] ? msg.text : err_str(err));
	return err_exit_code(err);
}
