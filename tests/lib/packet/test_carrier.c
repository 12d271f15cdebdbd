/* SPDX-License-Identifier: ISC */
/* Every carrier around one datagram from 203.0.113.9 (or 2001:db8::9) to port
 * 1434; its own ends are 192.0.2.1 and 192.0.2.2. */
#include <pcap/dlt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"
#include "lib/packet/packet.h"

static const uint8_t inner4[] = {
    0x45, 0x00, 0x00, 0x1c, 0x00, 0x01, 0x00, 0x00,
    0x40, 0x11, 0x14, 0x8c, /* the sum is right */
    203, 0, 113, 9,
    198, 51, 100, 7,
    0x0f, 0xa0, 0x05, 0x9a, 0x00, 0x08, 0x12, 0x34,
};
static const uint8_t inner6[] = {
    0x60, 0, 0, 0, 0, 8, 17, 64,
    0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9,
    0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
    0x0f, 0xa0, 0x05, 0x9a, 0x00, 0x08, 0x12, 0x34,
};

#define MACS "020000000002020000000001"
#define ETH4 MACS "0800"
#define ETH6 MACS "86dd"

/* What a carrier's header stands behind. */
enum outer {
	IN_FRAME, /* Ethernet addresses are part of the header */
	IN_IP4,   /* number: the protocol */
	IN_IP6,
	IN_UDP /* number: the port */
};

struct carrier_case {
	const char *name;
	enum outer outer;
	unsigned number;
	const char *header; /* hex */
	int version;        /* of the packet behind it */
	int carriers;
};

static const struct carrier_case carriers[] = {
    {"vlan", IN_FRAME, 0, MACS "81000001" "0800", 4, 0},
    {"802.1BR", IN_FRAME, 0, MACS "893f" "000100020000" "0800", 4, 0},
    {"802.1BR and vlan", IN_FRAME, 0,
	MACS "893f" "000100020000" "81000001" "86dd", 6, 0},
    {"vn-tag", IN_FRAME, 0, MACS "8926" "00010002" "0800", 4, 0},
    {"cisco metadata", IN_FRAME, 0, MACS "8909" "010100010010" "0800", 4, 0},
    {"hsr", IN_FRAME, 0, MACS "892f" "002a0001" "0800", 4, 0},
    {"arista time", IN_FRAME, 0,
	MACS "d28b" "00010011" "5ceeed5819c38c2c" "8100" "0064" "0800", 4, 0},
    {"arista short time", IN_FRAME, 0,
	MACS "d28b" "00010020" "ed5819c38c2c" "0800", 4, 0},
    {"macsec, signed", IN_FRAME, 0,
	MACS "88e5" "2000" "00000001" "0200000000010001" "0800", 4, 0},
    {"llc snap", IN_FRAME, 0, MACS "0024" "aaaa03000000" "0800", 4, 0},
    {"llc snap 6", IN_FRAME, 0, MACS "0038" "aaaa03000000" "86dd", 6, 0},
    {"llc snap of 802.1H", IN_FRAME, 0, MACS "0024" "aaaa030000f8" "0800", 4,
	0},
    {"llc snap vlan", IN_FRAME, 0,
	MACS "81000001" "0024" "aaaa03000000" "0800", 4, 0},
    {"llc ip", IN_FRAME, 0, MACS "001f" "060603", 4, 0},
    {"jumbo llc", IN_FRAME, 0, MACS "8870" "aaaa03000000" "0800", 4, 0},
    {"snap bridged", IN_FRAME, 0,
	MACS "0032" "aaaa030080c2" "0007" ETH4, 4, 1},
    {"mpls", IN_FRAME, 0, MACS "8847" "00064140", 4, 1},
    {"mpls two labels", IN_FRAME, 0, MACS "8847" "0006404000065140", 4, 1},
    {"mpls 6", IN_FRAME, 0, MACS "8848" "00002140", 6, 1},
    {"mpls ethernet", IN_FRAME, 0, MACS "8847" "00065140" ETH4, 4, 1},
    {"mpls control word", IN_FRAME, 0,
	MACS "8847" "00065140" "00000001" ETH6, 6, 1},
    {"mpls ethernet 4x", IN_FRAME, 0,
	MACS "8847" "00065140" "460000000002020000000001" "0800", 4, 1},
    {"pppoe", IN_FRAME, 0, MACS "8864" "11000001001e" "0021", 4, 1},
    {"pppoe 6", IN_FRAME, 0, MACS "8864" "110000010032" "0057", 6, 1},
    {"pppoe short protocol", IN_FRAME, 0, MACS "8864" "11000001001d" "21", 4,
	1},
    {"pppoe multilink", IN_FRAME, 0,
	MACS "8864" "110000010024" "003d" "c0000001" "0021", 4, 2},
    {"pppoe bridged", IN_FRAME, 0,
	MACS "8864" "11000001002e" "0031" "0001" ETH4, 4, 2},
    {"pppoe mpls", IN_FRAME, 0, MACS "8864" "110000010022" "0281" "00065140",
	4, 2},
    {"802.1ah", IN_FRAME, 0, MACS "88e7" "00000001" ETH4, 4, 1},
    {"802.1ah in a b-tag", IN_FRAME, 0,
	MACS "88a80001" "88e7" "00000001" MACS "81000002" "86dd", 6, 1},
    {"bridged", IN_FRAME, 0, MACS "6558" ETH4, 4, 1},
    {"trill", IN_FRAME, 0, MACS "22f3" "003f00010002" ETH4, 4, 1},
    {"trill options", IN_FRAME, 0, MACS "22f3" "007f00010002" "00000000" ETH4,
	4, 1},
    {"fabricpath", IN_FRAME, 0, MACS "8903" "0040" ETH4, 4, 1},
    {"nsh", IN_FRAME, 0,
	MACS "894f" "0fc60103" "00000aff" "00000000000000000000000000000000"
	ETH4, 4, 1},
    {"nsh ip", IN_FRAME, 0, MACS "894f" "0fc20201" "00000aff", 4, 1},

    {"ipip", IN_IP4, 4, "", 4, 1},
    {"6in4", IN_IP4, 41, "", 6, 1},
    {"4in6", IN_IP6, 4, "", 4, 1},
    {"6in6", IN_IP6, 41, "", 6, 1},
    {"gre", IN_IP4, 47, "00000800", 4, 1},
    {"gre 6", IN_IP4, 47, "000086dd", 6, 1},
    {"gre in 6", IN_IP6, 47, "00000800", 4, 1},
    {"gre key", IN_IP4, 47, "20000800" "00000007", 4, 1},
    {"gre checksum", IN_IP4, 47, "80000800" "00000000", 4, 1},
    {"gre all", IN_IP4, 47, "b0000800" "00000000" "00000007" "00000001", 4, 1},
    {"gre routing", IN_IP4, 47,
	"40000800" "00000000" "08000004" "c0000201" "00000000", 4, 1},
    {"gre ethernet", IN_IP4, 47, "00006558" ETH4, 4, 1},
    {"nvgre", IN_IP4, 47, "20006558" "00000101" ETH6, 6, 1},
    {"gre mpls", IN_IP4, 47, "00008847" "00064140", 4, 2},
    {"gre cisco metadata", IN_IP4, 47,
	"20008909" "00000028" "0800" "010100010000", 4, 1},
    {"gre vlan", IN_IP4, 47, "00008100" "0001" "0800", 4, 1},
    {"gre ppp", IN_IP4, 47, "3081880b" "0020" "0001" "00000001" "00000001"
	"ff030021", 4, 1},
    {"gre ppp, no sequence", IN_IP4, 47, "2001880b" "001e" "0001" "0021", 4,
	1},
    {"wccp", IN_IP4, 47, "0000883e" "00000000", 4, 1},
    {"wccp 1", IN_IP4, 47, "0000883e", 4, 1},
    {"erspan 1", IN_IP4, 47, "000088be" ETH4, 4, 1},
    {"erspan 2", IN_IP4, 47, "100088be" "00000001" "1001000100000000" ETH4, 4,
	1},
    {"erspan 3", IN_IP4, 47,
	"100022eb" "00000001" "20010001" "00000000" "0000" "8000" ETH6, 6, 1},
    {"erspan 3 subheader", IN_IP4, 47,
	"100022eb" "00000001" "20010001" "00000000" "0000" "8001"
	"0000000000000000" ETH4, 4, 1},
    {"erspan 3 ip", IN_IP4, 47,
	"100022eb" "00000001" "20010001" "00000000" "0000" "8800", 4, 1},
    {"etherip", IN_IP4, 97, "3000" ETH4, 4, 1},
    {"frame", IN_IP6, 143, ETH6, 6, 1},
    {"pim register", IN_IP4, 103, "2100deff" "00000000", 4, 1},
    {"mpls in ip", IN_IP4, 137, "00064140", 4, 1},
    {"l2tpv3", IN_IP4, 115, "00000001" ETH4, 4, 1},
    {"l2tpv3 cookie", IN_IP4, 115, "00000001" "11223344" ETH4, 4, 1},
    {"l2tpv3 sublayer", IN_IP4, 115, "00000001" "1122334455667788" "40000001"
	ETH6, 6, 1},
    {"l2tpv3 ip", IN_IP4, 115, "00000001" "11223344", 4, 1},
    {"authentication", IN_IP4, 51,
	"040400000000000100000001" "000000000000000000000000", 4, 1},

    {"vxlan", IN_UDP, 4789, "0800000000002a00" ETH4, 4, 1},
    {"vxlan 6", IN_UDP, 4789, "0800000000002a00" ETH6, 6, 1},
    {"vxlan group", IN_UDP, 4789, "8800000500002a00" ETH4, 4, 1},
    {"vxlan linux", IN_UDP, 8472, "0800000000002a00" ETH4, 4, 1},
    {"vxlan tag", IN_UDP, 4789, "0800000000002a00" MACS "81000001" "0800", 4,
	1},
    {"gpe", IN_UDP, 4790, "0c00000100002a00", 4, 1},
    {"gpe 6", IN_UDP, 4790, "0c00000200002a00", 6, 1},
    {"gpe ethernet", IN_UDP, 4790, "0c00000300002a00" ETH4, 4, 1},
    {"gpe nsh", IN_UDP, 4790, "0c00000400002a00" "0fc20201" "00000aff", 4, 2},
    {"gpe mpls", IN_UDP, 4790, "0c00000500002a00" "00064140", 4, 2},
    {"geneve", IN_UDP, 6081, "0000655800002a00" ETH4, 4, 1},
    {"geneve options", IN_UDP, 6081,
	"0240655800002a00" "0101800100000007" ETH6, 6, 1},
    {"geneve ip", IN_UDP, 6081, "0000080000002a00", 4, 1},
    {"gtp", IN_UDP, 2152, "30ff001c00000001", 4, 1},
    {"gtp 6", IN_UDP, 2152, "30ff003000000001", 6, 1},
    {"gtp sequence", IN_UDP, 2152, "32ff002000000001" "00010000", 4, 1},
    {"gtp extensions", IN_UDP, 2152,
	"34ff002800000001" "00000085" "01100185" "01000000", 4, 1},
    {"gtp ethernet", IN_UDP, 2152, "30ff002a00000001" ETH4, 4, 1},
    {"gtp 0", IN_UDP, 3386,
	"1eff001c" "00000000ffffffff0000000000000000", 4, 1},
    {"tzsp", IN_UDP, 37008, "01000001" "01" ETH4, 4, 1},
    {"tzsp tags", IN_UDP, 37008, "01000001" "00" "0a01d8" "2a020001" "01" ETH4,
	4, 1},
    {"l2tp", IN_UDP, 1701, "0002" "00010001" "ff030021", 4, 1},
    {"l2tp all", IN_UDP, 1701,
	"4a02" "002f" "00010001" "00010001" "0003" "000000" "0021", 4, 1},
    {"l2tp 6", IN_UDP, 1701, "4002" "003a" "00010001" "0057", 6, 1},
    {"l2tpv3 over udp", IN_UDP, 1701, "00030000" "00000001" ETH4, 4, 1},
    {"mpls in udp", IN_UDP, 6635, "00064140", 4, 1},
    {"lisp", IN_UDP, 4341, "c000000100000001", 4, 1},
};
#define CARRIERS (sizeof(carriers) / sizeof(carriers[0]))

static void put_hex(struct buf *b, const char *hex)
{
	for (; *hex; hex += 2) {
		char two[3] = {hex[0], hex[1], 0};
		buf_u8(b, (uint8_t)strtoul(two, NULL, 16));
	}
}

static void put_ip4(struct buf *b, unsigned proto, size_t len)
{
	put_hex(b, "4500");
	buf_be16(b, (uint16_t)(20 + len));
	put_hex(b, "0001000040");
	buf_u8(b, (uint8_t)proto);
	put_hex(b, "0000" "c0000201" "c0000202");
	uint8_t *header = b->data + b->len - 20;
	uint16_t sum = packet_fold(packet_sum(0, header, 20));
	header[10] = (uint8_t)(sum >> 8);
	header[11] = (uint8_t)sum;
}

static void put_ip6(struct buf *b, unsigned proto, size_t len)
{
	put_hex(b, "60000000");
	buf_be16(b, (uint16_t)len);
	buf_u8(b, (uint8_t)proto);
	buf_u8(b, 64);
	put_hex(b, "20010db8000000000000000000000101"
	    "20010db8000000000000000000000102");
}

/* The carrier's header and what is in it, without a link header (but that of
 * IN_FRAME). */
static void put_carrier(
    struct buf *b, const struct carrier_case *c, const struct buf *inner)
{
	struct buf header = {0};
	put_hex(&header, c->header);
	size_t len = header.len + inner->len;
	switch (c->outer) {
	case IN_FRAME: break;
	case IN_IP4: put_ip4(b, c->number, len); break;
	case IN_IP6: put_ip6(b, c->number, len); break;
	case IN_UDP:
		put_ip4(b, 17, len + 8);
		buf_be16(b, 50000);
		buf_be16(b, (uint16_t)c->number);
		buf_be16(b, (uint16_t)(len + 8));
		buf_be16(b, 0);
		break;
	}
	buf_bytes(b, header.data, header.len);
	buf_bytes(b, inner->data, inner->len);
	buf_fini(&header);
}

static struct buf inner_packet(int version)
{
	struct buf b = {0};
	if (version == 4)
		buf_bytes(&b, inner4, sizeof(inner4));
	else
		buf_bytes(&b, inner6, sizeof(inner6));
	return b;
}

static int dlt_of(const struct carrier_case *c)
{
	return c->outer == IN_FRAME ? DLT_EN10MB : DLT_RAW;
}

/* An exact copy, so that a read past the end is seen by ASan. */
static int decode(struct packet *p, int dlt, const struct buf *b, size_t cap)
{
	static void *copy;
	free(copy);
	copy = xmemdup(b->data, cap);
	return packet_decode_link(p, dlt, copy, cap, b->len);
}

static void assert_inner(const struct packet *p, int version)
{
	assert_int_equal(p->src.family, version);
	assert_int_equal(p->src.bytes[version == 4 ? 3 : 15], 9);
	assert_int_equal(p->sport, 4000);
	assert_int_equal(p->dport, 1434);
}

static void every_carrier_is_peeled_off(void **state)
{
	(void)state;
	for (size_t i = 0; i < CARRIERS; i++) {
		const struct carrier_case *c = &carriers[i];
		struct buf b = {0}, inner = inner_packet(c->version);
		struct packet p;
		put_carrier(&b, c, &inner);
		int err = decode(&p, dlt_of(c), &b, b.len);
		if (err != 0 || p.dport != 1434 || p.carriers != c->carriers)
			fail_msg("%s: %s, %d carriers", c->name,
			    packet_reason_name((enum packet_reason)p.reason),
			    p.carriers);
		assert_inner(&p, c->version);
		assert_false(p.ip_damaged);
		buf_fini(&inner);
		buf_fini(&b);
	}
}

/* Never the carrier's end where its number says that there is a packet in
 * it. */
static void a_cut_carrier_gives_no_end_of_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < CARRIERS; i++) {
		const struct carrier_case *c = &carriers[i];
		struct buf b = {0}, inner = inner_packet(c->version);
		struct packet p;
		bool sure = c->outer != IN_UDP && c->number != 115;
		put_carrier(&b, c, &inner);
		for (size_t cap = 0; cap < b.len; cap++) {
			int err = decode(&p, dlt_of(c), &b, cap);
			bool ports = cap >= b.len - 4;
			if (ports || (err == 0 && sure))
				assert_inner(&p, c->version);
			else if (err != 0)
				assert_int_equal(err, ERR_TRUNCATED);
			else
				assert_int_equal(p.src.bytes[3], 1);
			if (ports)
				assert_int_equal(err, 0);
		}
		buf_fini(&inner);
		buf_fini(&b);
	}
}

/* Carrier after carrier, from the inside out: frames in what carries frames,
 * IP packets in what carries these. */
static void put_nested(struct buf *b, const struct carrier_case *outer,
    const struct carrier_case *inner)
{
	struct buf packet = inner_packet(inner->version), middle = {0};
	put_carrier(&middle, inner, &packet);
	put_carrier(b, outer, &middle);
	buf_fini(&packet);
	buf_fini(&middle);
}

static bool ends_with_ethernet(const struct carrier_case *c)
{
	size_t len = strlen(c->header), tail = strlen(ETH4);
	return c->outer != IN_FRAME && len >= tail &&
	    strncmp(c->header + len - tail, MACS, strlen(MACS)) == 0;
}

/* The header without the inner Ethernet addresses, which IN_FRAME brings. */
static struct carrier_case without_ethernet(const struct carrier_case *c)
{
	static char text[200];
	struct carrier_case d = *c;
	size_t len = strlen(c->header) - strlen(ETH4);
	memcpy(text, c->header, len);
	text[len] = '\0';
	d.header = text;
	return d;
}

static void any_carrier_in_any_other_is_peeled_off(void **state)
{
	(void)state;
	size_t pairs = 0;
	for (size_t i = 0; i < CARRIERS; i++) {
		for (size_t j = 0; j < CARRIERS; j++) {
			struct carrier_case out = carriers[i];
			const struct carrier_case *in = &carriers[j];
			bool frame = in->outer == IN_FRAME;
			int version = in->outer == IN_IP6 ? 6 : 4;
			if (frame ? !ends_with_ethernet(&out)
				  : out.version != version)
				continue;
			/* Lengths and guesses of one packet alone. */
			if (strstr(out.name, "gtp") ||
			    strstr(out.name, "llc") ||
			    strstr(out.name, "snap") ||
			    strstr(out.name, "ppp") ||
			    strstr(out.name, "l2tp all") ||
			    strstr(out.name, "l2tp 6"))
				continue;
			if (frame)
				out = without_ethernet(&out);
			struct buf b = {0};
			struct packet p;
			put_nested(&b, &out, in);
			int err = decode(&p, dlt_of(&out), &b, b.len);
			if (err != 0 || p.dport != 1434 ||
			    p.carriers != out.carriers + in->carriers)
				fail_msg("%s in %s: %s, %d carriers", in->name,
				    out.name,
				    packet_reason_name(
					(enum packet_reason)p.reason),
				    p.carriers);
			assert_inner(&p, in->version);
			pairs++;
			buf_fini(&b);
		}
	}
	assert_true(pairs > 1000);
}

static struct buf nest(const struct carrier_case *c, int times)
{
	struct buf b = inner_packet(4);
	for (int i = 0; i < times; i++) {
		struct buf more = {0};
		put_carrier(&more, c, &b);
		buf_fini(&b);
		b = more;
	}
	return b;
}

static void nesting_has_an_end(void **state)
{
	(void)state;
	static const struct carrier_case kinds[] = {
	    {"ipip", IN_IP4, 4, "", 4, 1},
	    {"gre", IN_IP4, 47, "00000800", 4, 1},
	    {"vxlan-gpe", IN_UDP, 4790, "0c00000100002a00", 4, 1},
	    {"mpls", IN_IP4, 137, "00064140", 4, 1},
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (int times = 1; times < 40; times++) {
			struct buf b = nest(&kinds[i], times);
			struct packet p;
			int err = decode(&p, DLT_RAW, &b, b.len);
			bool deep = times > PACKET_CARRIERS_MOST;
			assert_int_equal(err, deep ? ERR_UNSUPPORTED : 0);
			assert_int_equal(p.reason,
			    deep ? PACKET_TOO_DEEP : PACKET_UNDERSTOOD);
			assert_int_equal(p.carriers, deep ? 0 : times);
			buf_fini(&b);
		}
	}
	struct buf b = {0};
	struct packet p;
	put_hex(&b, MACS);
	for (int i = 0; i < 20000; i++)
		put_hex(&b, "0100aaaa030000008100");
	assert_true(decode(&p, DLT_EN10MB, &b, b.len) < 0);
	buf_clear(&b);
	put_hex(&b, MACS);
	for (int i = 0; i < 20000; i++)
		put_hex(&b, "6558" MACS);
	assert_int_equal(decode(&p, DLT_EN10MB, &b, b.len), ERR_UNSUPPORTED);
	assert_int_equal(p.reason, PACKET_TOO_DEEP);
	buf_clear(&b);
	put_hex(&b, MACS "8864" "110000010000");
	for (int i = 0; i < 20000; i++)
		put_hex(&b, "003dc0000001");
	assert_true(decode(&p, DLT_EN10MB, &b, b.len) < 0);
	buf_fini(&b);
}

/* What stays the packet that it is. */
static const struct {
	const char *name;
	enum outer outer;
	unsigned number;
	const char *payload;
} plain[] = {
    {"empty ipip, of nmap -sO", IN_IP4, 4, ""},
    {"ipip of nothing", IN_IP4, 4, "00000000"},
    {"6in4 of IPv4", IN_IP4, 41, "4500001c000100004011758d"},
    {"empty gre", IN_IP4, 47, ""},
    {"gre keepalive", IN_IP4, 47, "00000000"},
    {"gre of ARP", IN_IP4, 47, "00000806" "0001080006040001"},
    {"gre version 2", IN_IP4, 47, "00020800" "45"},
    {"pptp acknowledgement", IN_IP4, 47, "2081880b" "0000" "0001" "00000001"},
    {"erspan of another version", IN_IP4, 47, "100088be" "00000001" "90010001"
	"00000000"},
    {"pim hello", IN_IP4, 103, "2000deff" "00010002"},
    {"null register", IN_IP4, 103, "2100deff" "40000000"},
    {"l2tpv3 control", IN_IP4, 115, "00000000" "c8030014"},
    {"l2tpv3 of noise", IN_IP4, 115, "00000001" "112233445566778899aabbcc"},
    {"vxlan of ARP", IN_UDP, 4789, "0800000000002a00" MACS "0806" "0001"},
    {"vxlan without a network", IN_UDP, 4789, "0000000000002a00" ETH4
	"4500001c000100004011758d"},
    {"noise to vxlan", IN_UDP, 4789, "616263646566676869"},
    {"dns to geneve", IN_UDP, 6081, "abcd01000001000000000000"},
    {"gtp echo", IN_UDP, 2152, "3201000400000000" "00010000"},
    {"gtp extension of no length", IN_UDP, 2152,
	"34ff000800000001" "00000085" "00000000"},
    {"l2tp control", IN_UDP, 1701, "c802000c" "0000000000000000"},
    {"l2tp LCP", IN_UDP, 1701, "0002" "00010001" "c021" "01010004"},
    {"tzsp without an end", IN_UDP, 37008, "01000001" "0a01d8"},
    {"lisp of noise", IN_UDP, 4341, "c000000100000001" "ffff"},
    {"a name to 53", IN_UDP, 53, "abcd01000001000000000000"},
};

static void what_is_no_tunnel_stays_what_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		struct carrier_case c = {plain[i].name, plain[i].outer,
		    plain[i].number, plain[i].payload, 4, 0};
		struct buf b = {0}, none = {0};
		struct packet p;
		put_carrier(&b, &c, &none);
		int err = decode(&p, DLT_RAW, &b, b.len);
		if (err != 0 || p.carriers != 0)
			fail_msg("%s: %s, %d carriers", c.name,
			    packet_reason_name((enum packet_reason)p.reason),
			    p.carriers);
		assert_int_equal(p.src.bytes[3], 1);
		assert_int_equal(p.proto, c.outer == IN_UDP ? 17 : c.number);
		assert_int_equal(p.dport, c.outer == IN_UDP ? c.number : 0);
		assert_int_equal(p.payload_len, strlen(c.header) / 2);
		buf_fini(&b);
	}
}

static void frames_that_carry_no_packet_say_why(void **state)
{
	(void)state;
	static const struct {
		const char *frame;
		enum packet_reason reason;
	} frames[] = {
	    {MACS "0026" "424203" "0000", PACKET_LINK_CONTROL},
	    {MACS "0026" "fefe03" "83", PACKET_NOT_IP},
	    {MACS "0026" "aaaa03" "00000c" "2000", PACKET_LINK_CONTROL},
	    {MACS "8863" "1109" "0000", PACKET_LINK_CONTROL},
	    {MACS "8864" "110000010004" "c021", PACKET_LINK_CONTROL},
	    {MACS "8864" "110000010004" "0053", PACKET_ENCRYPTED},
	    {MACS "8864" "110000010004" "00fd", PACKET_COMPRESSED},
	    {MACS "8864" "110000010004" "002d", PACKET_COMPRESSED},
	    {MACS "8864" "210000010004" "0021", PACKET_BAD_CARRIER},
	    {MACS "88e5" "2c00" "00000001", PACKET_ENCRYPTED},
	    {MACS "8847" "00065140" "10000021" "0000000000000000"
		"0000000000000000", PACKET_LINK_CONTROL},
	    {MACS "8847" "00065140" "00000001" "0000000000000000"
		"0000000000000000", PACKET_UNKNOWN_CARRIER},
	    {MACS "8847" "00065040", PACKET_BAD_CARRIER},
	    {MACS "8035" "0001", PACKET_ARP},
	};
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		struct buf b = {0};
		struct packet p;
		put_hex(&b, frames[i].frame);
		assert_true(decode(&p, DLT_EN10MB, &b, b.len) < 0);
		assert_string_equal(
		    packet_reason_name((enum packet_reason)p.reason),
		    packet_reason_name(frames[i].reason));
		assert_int_equal(p.src.family, 0);
		buf_fini(&b);
	}
}

static void the_innermost_link_says_whom_a_frame_is_for(void **state)
{
	(void)state;
	struct carrier_case c = {"vxlan", IN_UDP, 4789,
	    "0800000000002a00" "ffffffffffff" "020000000001" "0800", 4, 1};
	struct buf b = {0}, inner = inner_packet(4);
	struct packet p;
	put_hex(&b, ETH4);
	put_carrier(&b, &c, &inner);
	assert_int_equal(decode(&p, DLT_EN10MB, &b, b.len), 0);
	assert_int_equal(p.carriers, 1);
	assert_int_equal(p.link_cast, PACKET_CAST_BROADCAST);
	buf_fini(&inner);
	buf_fini(&b);
}

/* A tunnel's later fragments hold no header; its first one does. */
static void fragments_of_a_tunnel(void **state)
{
	(void)state;
	struct carrier_case c = {"gre", IN_IP4, 47, "00000800", 4, 1};
	struct buf b = {0}, inner = inner_packet(4);
	struct packet p;
	put_carrier(&b, &c, &inner);
	b.data[6] = 0x20;
	assert_int_equal(decode(&p, DLT_RAW, &b, b.len), 0);
	assert_inner(&p, 4);
	b.data[7] = 1;
	assert_int_equal(decode(&p, DLT_RAW, &b, b.len), 0);
	assert_true(p.fragment && !p.first_fragment);
	assert_int_equal(p.src.bytes[3], 1);
	assert_int_equal(p.carriers, 0);
	buf_fini(&inner);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_carrier_is_peeled_off),
	    cmocka_unit_test(a_cut_carrier_gives_no_end_of_its_own),
	    cmocka_unit_test(any_carrier_in_any_other_is_peeled_off),
	    cmocka_unit_test(nesting_has_an_end),
	    cmocka_unit_test(what_is_no_tunnel_stays_what_it_is),
	    cmocka_unit_test(frames_that_carry_no_packet_say_why),
	    cmocka_unit_test(the_innermost_link_says_whom_a_frame_is_for),
	    cmocka_unit_test(fragments_of_a_tunnel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
