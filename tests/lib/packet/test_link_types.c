/* SPDX-License-Identifier: ISC */
/* Links beside Ethernet, Linux cooked and raw IP, around one datagram from
 * 203.0.113.9 (or 2001:db8::9) to port 1434. */
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

struct link_type_case {
	const char *name;
	int dlt;
	const char *header; /* hex */
	int version;
	enum packet_cast cast;
};

#define STATION "020000000002"
#define ACCESS_POINT "020000000001"
#define GROUP "01005e7ffffa"
#define ALL "ffffffffffff"
#define MACS STATION ACCESS_POINT
#define SNAP4 "aaaa03000000" "0800"
#define SNAP6 "aaaa03000000" "86dd"
#define ZEROS_8 "0000000000000000"
#define ZEROS_16 ZEROS_8 ZEROS_8
#define WIRELESS "0802" "0000" STATION ACCESS_POINT ACCESS_POINT "0000"
/* Time, flags (none), rate; then with a second word of fields. */
#define RADIOTAP "0000" "1200" "07000000" ZEROS_8 "00" "00"
#define RADIOTAP_LONG "0000" "1800" "02000080" "00000080" "00000000" \
    "20" "00000000000000"

static const struct link_type_case links[] = {
    {"ppp", DLT_PPP, "ff030021", 4, 0},
    {"ppp without address", DLT_PPP, "0057", 6, 0},
    {"ppp, protocol of one octet", DLT_PPP, "ff0321", 4, 0},
    {"ppp, mpls", DLT_PPP, "ff030281" "00064140", 4, 0},
    {"ppp serial", DLT_PPP_SERIAL, "ff030021", 4, 0},
    {"ppp serial, hdlc", DLT_PPP_SERIAL, "0f0086dd", 6, 0},
    {"ppp over ethernet", DLT_PPP_ETHER, "11000001001e" "0021", 4, 0},
    {"pppd, in", DLT_PPP_PPPD, "00030021", 4, 0},
    {"pppd, out", DLT_PPP_PPPD, "01030021", 4, PACKET_CAST_OUTGOING},
    {"ppp, out", DLT_PPP_WITH_DIR, "01" "ff030021", 4, PACKET_CAST_OUTGOING},
    {"hdlc", DLT_C_HDLC, "0f000800", 4, 0},
    {"hdlc, multicast", DLT_C_HDLC, "8f0086dd", 6, 0},
    {"hdlc, in", DLT_C_HDLC_WITH_DIR, "00" "0f000800", 4, 0},
    {"relay", DLT_FRELAY, "1841" "03cc", 4, 0},
    {"relay 6", DLT_FRELAY, "1841" "038e", 6, 0},
    {"relay, padded snap", DLT_FRELAY, "1841" "0300" "80" "000000" "0800", 4,
	0},
    {"relay, bridged", DLT_FRELAY, "1841" "0300" "80" "0080c2" "0007" MACS
	"0800", 4, PACKET_CAST_UNICAST},
    {"relay of cisco", DLT_FRELAY, "1841" "0800", 4, 0},
    {"relay, address of four", DLT_FRELAY, "18400001" "03cc", 4, 0},
    {"relay, ppp", DLT_FRELAY, "1841" "03cf" "0021", 4, 0},
    {"relay, out", DLT_FRELAY_WITH_DIR, "01" "1841" "03cc", 4,
	PACKET_CAST_OUTGOING},
    {"relay, multilink", DLT_MFR, "c001" "1841" "03cc", 4, 0},
    {"slip", DLT_SLIP, ZEROS_16, 4, 0},
    {"atm snap", DLT_ATM_RFC1483, SNAP4, 4, 0},
    {"atm nlpid ppp", DLT_ATM_RFC1483, "fefe03cf" "0021", 4, 0},
    {"atm bridged", DLT_ATM_RFC1483, "aaaa030080c2" "0007" "0000" MACS "0800",
	4, PACKET_CAST_UNICAST},
    {"atm alone", DLT_ATM_RFC1483, "", 4, 0},
    {"sun atm", DLT_SUNATM, "02000020" SNAP6, 6, 0},
    {"sun atm, lan", DLT_SUNATM, "01000020" "0001" ALL ACCESS_POINT "0800", 4,
	PACKET_CAST_BROADCAST},
    {"802.11 from access point", DLT_IEEE802_11, WIRELESS SNAP4, 4,
	PACKET_CAST_UNICAST},
    {"802.11 to access point", DLT_IEEE802_11, "0801" "0000" ACCESS_POINT
	STATION GROUP "0000" SNAP4, 4, PACKET_CAST_MULTICAST},
    {"802.11 qos", DLT_IEEE802_11, "8802" "0000" ALL ACCESS_POINT ACCESS_POINT
	"0000" "0000" SNAP6, 6, PACKET_CAST_BROADCAST},
    {"802.11 qos and ht", DLT_IEEE802_11, "8882" "0000" STATION ACCESS_POINT
	ACCESS_POINT "0000" "0000" "00000000" SNAP4, 4, PACKET_CAST_UNICAST},
    {"802.11 of four addresses", DLT_IEEE802_11, "0803" "0000" ACCESS_POINT
	ACCESS_POINT STATION "0000" STATION SNAP4, 4, PACKET_CAST_UNICAST},
    {"802.11 aggregate", DLT_IEEE802_11, "8802" "0000" STATION ACCESS_POINT
	ACCESS_POINT "0000" "8000" GROUP ACCESS_POINT "0024" SNAP4, 4,
	PACKET_CAST_MULTICAST},
    {"radiotap", DLT_IEEE802_11_RADIO, RADIOTAP WIRELESS SNAP4, 4,
	PACKET_CAST_UNICAST},
    {"radiotap, padded", DLT_IEEE802_11_RADIO, RADIOTAP_LONG
	"8802" "0000" STATION ACCESS_POINT ACCESS_POINT "0000" "0000" "0000"
	SNAP4, 4, PACKET_CAST_UNICAST},
    {"prism", DLT_PRISM_HEADER, "44000000" "14000000" ZEROS_8 "00000000"
	WIRELESS SNAP4, 4, PACKET_CAST_UNICAST},
    {"prism, big-endian", DLT_PRISM_HEADER, "00000044" "00000014" ZEROS_8
	"00000000" WIRELESS SNAP4, 4, PACKET_CAST_UNICAST},
    {"avs", DLT_IEEE802_11_RADIO_AVS, "80211001" "00000010" ZEROS_8 WIRELESS
	SNAP4, 4, PACKET_CAST_UNICAST},
    {"avs in prism's place", DLT_PRISM_HEADER, "80211001" "00000010" ZEROS_8
	WIRELESS SNAP4, 4, PACKET_CAST_UNICAST},
    {"ppi", DLT_PPI, "00000800" "69000000" WIRELESS SNAP4, 4,
	PACKET_CAST_UNICAST},
    {"ppi, ethernet", DLT_PPI, "00000800" "01000000" ALL ACCESS_POINT "86dd",
	6, PACKET_CAST_BROADCAST},
    {"nflog", DLT_NFLOG, "02000000" "20000900", 4, 0},
    {"nflog 6", DLT_NFLOG, "0a000000" "34000900", 6, 0},
    {"nflog, prefix before", DLT_NFLOG, "02000000" "06000a00" "61000000"
	"20000900", 4, 0},
    {"nflog, hook of output", DLT_NFLOG, "02000000" "08000100" "08000300"
	"20000900", 4, PACKET_CAST_OUTGOING},
    {"nflog, big-endian", DLT_NFLOG, "02000000" "00080001" "08000100"
	"00200009", 4, 0},
    {"pflog", DLT_PFLOG, "3d020100" ZEROS_16 ZEROS_16 ZEROS_16 ZEROS_8
	"01000000", 4, 0},
    {"pflog, longer", DLT_PFLOG, "481e0100" ZEROS_16 ZEROS_16 ZEROS_16
	ZEROS_16 "00000000", 6, 0},
    {"pktap", DLT_PKTAP, "10000000" "01000000" "01000000" "00000000" ALL
	ACCESS_POINT "0800", 4, PACKET_CAST_BROADCAST},
    {"ipnet", DLT_IPNET, "01020001" "00000000" ZEROS_16, 4, 0},
    {"enc", DLT_ENC, "02000000" ZEROS_8, 4, 0},
    {"mpls", DLT_MPLS, "00064140", 4, 0},
    {"netanalyzer", DLT_NETANALYZER, "00000000" ALL ACCESS_POINT "0800", 4,
	PACKET_CAST_BROADCAST},
    {"switch tag before", DLT_DSA_TAG_BRCM_PREPEND, "00000000" MACS "0800", 4,
	PACKET_CAST_UNICAST},
    {"switch tag", DLT_DSA_TAG_DSA, MACS "c0180000" "0800", 4,
	PACKET_CAST_UNICAST},
    {"longer switch tag", DLT_DSA_TAG_EDSA, MACS "dada0000c0180000" "0800", 4,
	PACKET_CAST_UNICAST},
    {"docsis", DLT_DOCSIS, "00000030" "0000" MACS "0800", 4,
	PACKET_CAST_UNICAST},
    {"docsis, extended", DLT_DOCSIS, "01030033" "112233" "0000" MACS "0800",
	4, PACKET_CAST_UNICAST},
    {"token ring", DLT_IEEE802, "1040" MACS SNAP4, 4, 0},
    {"token ring, routed", DLT_IEEE802, "1040" STATION "820000000001"
	"0690" "00110020" SNAP4, 4, 0},
    {"fddi", DLT_FDDI, "50" MACS SNAP4, 4, 0},
    {"fibre channel", DLT_IP_OVER_FC, ZEROS_16 SNAP6, 6, 0},
    {"firewire", DLT_APPLE_IP_OVER_IEEE1394, ZEROS_16 "0800", 4, 0},
    {"infiniband", DLT_IPOIB, ZEROS_16 ZEROS_16 ZEROS_8 "08000000", 4, 0},
    {"cooked, llc", DLT_LINUX_SLL, "000000010006" "0200000000010000" "0004"
	SNAP4, 4, PACKET_CAST_UNICAST},
    {"cooked, wireless", DLT_LINUX_SLL, "000003230006" "0200000000010000"
	"0019" RADIOTAP WIRELESS SNAP4, 4, PACKET_CAST_UNICAST},
    {"juniper", DLT_JUNIPER_ETHER, "4d474301" MACS "0800", 4,
	PACKET_CAST_UNICAST},
    {"juniper, extensions", DLT_JUNIPER_ETHER, "4d474381" "0006"
	"0402" "0100" "0301" MACS "86dd", 6, PACKET_CAST_UNICAST},
    {"juniper, no link", DLT_JUNIPER_ETHER, "4d474382" "0003" "050100"
	"02000000", 4, 0},
    {"juniper ppp", DLT_JUNIPER_PPP, "4d474301" "ff030021", 4, 0},
    {"juniper hdlc", DLT_JUNIPER_CHDLC, "4d474301" "0f000800", 4, 0},
    {"juniper relay", DLT_JUNIPER_FRELAY, "4d474301" "1841" "03cc", 4, 0},
    {"juniper pppoe", DLT_JUNIPER_PPPOE, "4d474301" MACS "8864"
	"11000001001e" "0021", 4, PACKET_CAST_UNICAST},
    {"juniper pppoe over atm", DLT_JUNIPER_PPPOE_ATM, "4d474301" "8864"
	"11000001001e" "0021", 4, 0},
    {"juniper mlppp", DLT_JUNIPER_MLPPP, "4d474301" "0001" "ff030021", 4, 0},
    {"juniper mlppp, link", DLT_JUNIPER_MLPPP, "4d474301" "ff030021", 4, 0},
    {"juniper mlppp, bare", DLT_JUNIPER_MLPPP, "4d474301" "0021", 4, 0},
    {"juniper mlppp, services", DLT_JUNIPER_MLPPP, "4d474301" "4700000000100000",
	6, 0},
    {"juniper mlfr", DLT_JUNIPER_MLFR, "4d474301" "0001" "03cc", 4, 0},
    {"juniper mlfr, link services", DLT_JUNIPER_MLFR, "4d474301" "54000001"
	"03cc", 4, 0},
    {"juniper mfr, link", DLT_JUNIPER_MFR, "4d474301" "c001" "1841" "03cc", 4,
	0},
    {"juniper atm 1", DLT_JUNIPER_ATM1, "4d474301" "00000001" SNAP4, 4, 0},
    {"juniper atm 2", DLT_JUNIPER_ATM2, "4d474301" ZEROS_8 SNAP6, 6, 0},
    {"juniper atm 2, bare", DLT_JUNIPER_ATM2, "4d474301" ZEROS_8, 4, 0},
    {"juniper ggsn", DLT_JUNIPER_GGSN, "4d474301" ZEROS_8, 4, 0},
    {"juniper monitor", DLT_JUNIPER_MONITOR, "4d474301" ZEROS_8, 6, 0},
    {"juniper services", DLT_JUNIPER_SERVICES, "4d474301" ZEROS_8, 4, 0},
    {"juniper es", DLT_JUNIPER_ES, "4d474301" "00010003" ZEROS_8 "00000000",
	4, 0},
};
#define LINKS (sizeof(links) / sizeof(links[0]))

static void put_hex(struct buf *b, const char *hex)
{
	for (; *hex; hex += 2) {
		char two[3] = {hex[0], hex[1], 0};
		buf_u8(b, (uint8_t)strtoul(two, NULL, 16));
	}
}

static struct buf frame_of(const struct link_type_case *c)
{
	struct buf b = {0};
	put_hex(&b, c->header);
	if (c->version == 4)
		buf_bytes(&b, inner4, sizeof(inner4));
	else
		buf_bytes(&b, inner6, sizeof(inner6));
	return b;
}

/* An exact copy, so that a read past the end is seen by ASan. */
static int decode(struct packet *p, int dlt, const struct buf *b, size_t cap)
{
	static void *copy;
	free(copy);
	copy = xmemdup(b->data, cap);
	return packet_decode_link(p, dlt, copy, cap, b->len);
}

static bool is_inner(const struct packet *p, int version)
{
	return p->src.family == version &&
	    p->src.bytes[version == 4 ? 3 : 15] == 9 && p->dport == 1434;
}

static void every_link_type_leads_to_its_packet(void **state)
{
	(void)state;
	for (size_t i = 0; i < LINKS; i++) {
		const struct link_type_case *c = &links[i];
		struct buf b = frame_of(c);
		struct packet p;
		assert_true(packet_link_known(c->dlt));
		int err = decode(&p, c->dlt, &b, b.len);
		if (err != 0 || !is_inner(&p, c->version) ||
		    p.link_cast != c->cast)
			fail_msg("%s: %s, port %d, cast %d", c->name,
			    packet_reason_name((enum packet_reason)p.reason),
			    p.dport, p.link_cast);
		buf_fini(&b);
	}
}

static void a_cut_frame_gives_its_packet_or_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < LINKS; i++) {
		const struct link_type_case *c = &links[i];
		struct buf b = frame_of(c);
		struct packet p;
		for (size_t cap = 0; cap < b.len; cap++) {
			int err = decode(&p, c->dlt, &b, cap);
			bool ports = cap >= b.len - 4;
			if (ports ? err != 0 || !is_inner(&p, c->version)
				  : err == 0)
				fail_msg("%s cut to %zu: %s", c->name, cap,
				    packet_reason_name(
					(enum packet_reason)p.reason));
		}
		buf_fini(&b);
	}
}

static void link_frames_that_carry_none_say_why(void **state)
{
	(void)state;
	static const struct {
		int dlt;
		const char *frame;
		enum packet_reason reason;
	} frames[] = {
	    {DLT_PPP, "ff03c021" "01010004", PACKET_LINK_CONTROL},
	    {DLT_PPP, "ff030053" "1234", PACKET_ENCRYPTED},
	    {DLT_C_HDLC, "0f008035" "0000", PACKET_ARP},
	    {DLT_FRELAY, "18410308" "7500", PACKET_LINK_CONTROL},
	    {DLT_FRELAY, "1901" "0800", PACKET_BAD_LINK},
	    {DLT_MFR, "e200" "03", PACKET_LINK_CONTROL},
	    {DLT_MFR, "4001" "184103cc", PACKET_UNKNOWN_CARRIER},
	    {DLT_IEEE802_11, "8000" "0000" ALL, PACKET_LINK_CONTROL},
	    {DLT_IEEE802_11, "4801" "0000" STATION, PACKET_LINK_CONTROL},
	    {DLT_IEEE802_11, "0841" "0000" STATION, PACKET_ENCRYPTED},
	    {DLT_IEEE802_11, "0b01" "0000" STATION, PACKET_BAD_LINK},
	    {DLT_IEEE802_11, "0802" "0000" STATION ACCESS_POINT ACCESS_POINT
		"0100" SNAP4, PACKET_UNKNOWN_CARRIER},
	    {DLT_IEEE802_11_RADIO, "0100" "0800" "00000000", PACKET_BAD_LINK},
	    {DLT_IEEE802_11_RADIO, "0000" "0400" "00000000", PACKET_BAD_LINK},
	    {DLT_PPI, "00000800" "63000000", PACKET_UNKNOWN_LINK},
	    {DLT_NFLOG, "02000000" "06000a00" "61000000", PACKET_BAD_LINK},
	    {DLT_NFLOG, "02000000" "00000000", PACKET_BAD_LINK},
	    {DLT_NFLOG, "02010000" "20000900", PACKET_BAD_LINK},
	    {DLT_PFLOG, "04020100", PACKET_BAD_LINK},
	    {DLT_PKTAP, "04000000" "01000000" "01000000", PACKET_BAD_LINK},
	    {DLT_JUNIPER_ETHER, "4d474201" MACS "0800", PACKET_BAD_LINK},
	    {DLT_JUNIPER_ATM1, "4d474301" "80000000" "00", PACKET_LINK_CONTROL},
	    {DLT_DOCSIS, "c0000000" "0000", PACKET_LINK_CONTROL},
	    {DLT_USB_LINUX, "00", PACKET_UNKNOWN_LINK},
	    {DLT_IEEE802_15_4, "00", PACKET_UNKNOWN_LINK},
	};
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		struct buf b = {0};
		struct packet p;
		put_hex(&b, frames[i].frame);
		int err = decode(&p, frames[i].dlt, &b, b.len);
		if (err == 0 || p.reason != frames[i].reason)
			fail_msg("%s: %s", frames[i].frame,
			    packet_reason_name((enum packet_reason)p.reason));
		buf_fini(&b);
	}
}

static void taps_of_taps_have_an_end(void **state)
{
	(void)state;
	struct buf b = {0};
	struct packet p;
	for (int i = 0; i < 20000; i++)
		put_hex(&b, "0c000000" "01000000" "02010000");
	assert_true(decode(&p, DLT_PKTAP, &b, b.len) < 0);
	assert_int_equal(p.reason, PACKET_TOO_DEEP);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_link_type_leads_to_its_packet),
	    cmocka_unit_test(a_cut_frame_gives_its_packet_or_none),
	    cmocka_unit_test(link_frames_that_carry_none_say_why),
	    cmocka_unit_test(taps_of_taps_have_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
