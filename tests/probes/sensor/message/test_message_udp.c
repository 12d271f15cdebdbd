/* SPDX-License-Identifier: ISC */
/* Each protocol by octets that real programs send, each in both directions;
 * and what is none of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/base/hash.h"
#include "probes/sensor/message/datagram.h"
#include "probes/sensor/message/message-udp.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CLIENT 40000

static struct message read_datagram(
    uint16_t sport, uint16_t dport, const void *at, size_t len, size_t wire)
{
	struct message m;
	struct packet p = { .proto = PACKET_UDP,
		.src = { 4, { 203, 0, 113, 9 } },
		.dst = { 4, { 198, 51, 100, 7 } },
		.sport = sport,
		.dport = dport,
		.payload = wire > 0 ? at : NULL,
		.payload_len = len,
		.payload_wire_len = wire };
	message_read(&p, &m);
	return m;
}

/* Octets as hexadecimal numbers; "'text'" stands for itself, "x*n" for n times
 * the octet before. */
static size_t octets_of(uint8_t *to, size_t size, const char *text)
{
	size_t len = 0;
	while (*text) {
		if (*text == ' ') {
			text++;
		} else if (*text == '\'') {
			for (text++; *text != '\''; text++)
				to[len++] = (uint8_t)*text;
			text++;
		} else if (*text == '*') {
			char *end;
			size_t more = strtoul(text + 1, &end, 10) - 1;
			assert_true(len > 0 && len + more <= size);
			memset(to + len, to[len - 1], more);
			len += more;
			text = end;
		} else {
			char pair[3] = { text[0], text[1], 0 }, *end;
			to[len++] = (uint8_t)strtoul(pair, &end, 16);
			assert_true(end == pair + 2);
			text += 2;
		}
		assert_true(len <= size);
	}
	return len;
}

#define Q MESSAGE_QUESTION
#define A MESSAGE_ANSWER
#define S MESSAGE_STRAY
#define L MESSAGE_LOCAL
#define N MESSAGE_NONE
#define E MESSAGE_EITHER
#define NAME " 03 'www' 07 'example' 03 'org' 00"
#define NETBIOS " 20 'CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' 00"

static const struct known {
	const char *protocol; /* with "!": and amplifies; "@": needs its port */
	enum message_role role;
	uint16_t sport, dport;
	const char *octets;
} known[] = {
	/* A query; with EDNS and from port 53; for ANY; STATUS; an update. */
	{ "dns", Q, CLIENT, 53, "abcd 0100 0001 0000*5" NAME "0001 0001" },
	{ "dns", Q, 53, 53,
	    "abcd 0120 0001 0000 0000 0001" NAME
	    "0001 0001 00 0029 1000 0000 0000 0000" },
	{ "dns!", Q, CLIENT, 53, "abcd 0100 0001 0000*5" NAME "00ff 0001" },
	{ "dns", Q, CLIENT, 53, "0000 1000 00*8" },
	{ "dns", Q, CLIENT, 8053, "abcd 0100 0001 0000*5" NAME "001c 0001" },
	{ "dns", A, 53, CLIENT,
	    "abcd 8180 0001 0001 0000*3" NAME
	    "0001 0001 c00c 0001 0001 00000e10 0004 c0000201" },
	{ "dns", A, 53, CLIENT, "abcd 8183 0001 0000*5" NAME "0001 0001" },
	{ "dns", A, 53, CLIENT, "abcd 8105 0000*7" },
	{ "dns", A, 53, CLIENT,
	    "abcd 8180 0001 0000*5" NAME "0001 0001 'r'*300" },
	{ "mdns", Q, 5353, 5353,
	    "0000 0000 0001 0000*5 09 '_services' 07 '_dns-sd' 04 '_udp' 05 "
	    "'local' 00 000c 0001" },
	{ "mdns", A, 5353, CLIENT,
	    "0000 8400 0000 0001 0000*3 04 'host' 05 'local' 00 0001 8001 "
	    "00000078 0004 c0a80001" },
	{ "llmnr", Q, CLIENT, 5355,
	    "3039 0000 0001 0000*5 04 'wpad' 00 0001 "
	    "0001" },
	{ "llmnr", A, 5355, CLIENT,
	    "3039 8000 0001 0001 0000*3 04 'wpad' 00 0001 0001 04 'wpad' 00 "
	    "0001 0001 0000001e 0004 c0a80002" },
	{ "netbios-ns!", Q, 137, 137,
	    "80f0 0010 0001 0000*5" NETBIOS "0021 0001" },
	{ "netbios-ns", Q, CLIENT, 137,
	    "0191 0000 0001 0000*5" NETBIOS "0020 0001" },
	{ "netbios-ns", A, 137, 137,
	    "80f0 8400 0000 0001 0000*3" NETBIOS
	    "0021 0001 00000000 0005 00*5" },
	{ "slp!", Q, CLIENT, 427,
	    "02 09 00001a 0000 000000 1234 0002 'en' 0000 ffff 0004 'abcd'" },
	{ "slp", A, 427, CLIENT,
	    "02 0a 000016 0000 000000 1234 0002 'en' 0000 0000 0000" },
	{ "ssdp!", Q, CLIENT, 1900,
	    "'M-SEARCH * HTTP/1.1' 0d0a 'ST: ssdp:all' 0d0a0d0a" },
	{ "ssdp", A, 1900, CLIENT, "'HTTP/1.1 200 OK' 0d0a 'ST: a' 0d0a0d0a" },
	{ "ssdp", L, CLIENT, 1900, "'NOTIFY * HTTP/1.1' 0d0a0d0a" },
	{ "ws-discovery!", Q, CLIENT, 3702,
	    "'<?xml version=\"1.0\"?><e:Envelope><a:Action>http://schemas."
	    "xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>'" },
	{ "ws-discovery", A, 3702, CLIENT,
	    "'<?xml?><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/"
	    "ProbeMatches</a:Action>'" },
	{ "ws-discovery", L, CLIENT, 3702,
	    "'<?xml?><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/"
	    "Hello</a:Action>'" },

	/* NTP: client as chrony and as ntpd, server, peers, broadcast, readvar,
	 * monlist. */
	{ "ntp", Q, CLIENT, 123, "23 00 06 20 00*36 8a12bc3456789abc" },
	{ "ntp", Q, 123, 123,
	    "e3 00 04 fa 00010000 00010000 00*28 c54f234b71b152f3" },
	{ "ntp", A, 123, CLIENT,
	    "24 02 06 e9 0000021c 00000b41 c0000201 00*32" },
	{ "ntp", Q, 123, 123, "d9 00 0a fa 00000000 00010400 00*36" },
	{ "ntp", A, 123, 123, "1a 03 06 ec 00000000 00000400 00*36" },
	{ "ntp", L, 123, 123, "25 01 06 ec 00000000 00000400 00*36" },
	{ "ntp!", Q, CLIENT, 123, "16 02 0001 0000 0000 0000 0000" },
	{ "ntp", A, 123, CLIENT,
	    "16 82 0001 0615 0000 0000 0010 'version=\"4.2.8\"' 20" },
	{ "ntp!", Q, 80, 123, "17 00 03 2a 00*4" },
	{ "ntp!", Q, 123, 123, "17 00 03 2a 00*184" },
	{ "ntp", A, 123, 80, "d7 00 03 2a 0006 0048 00*432" },

	{ "snmp", Q, CLIENT, 161,
	    "3026 020101 0406 'public' a019 020101 020100 020100 300e 300c "
	    "0608 2b06010201010100 0500" },
	{ "snmp", Q, 53, 161,
	    "3026 020100 0406 'public' a119 020101 020100 020100 300e 300c "
	    "0608 2b06010201010100 0500" },
	{ "snmp!", Q, CLIENT, 161,
	    "3084 00000027 020101 0406 'public' a519 020101 020100 02017f 300e "
	    "300c 0608 2b06010201010100 0500" },
	{ "snmp", A, 161, CLIENT,
	    "302e 020101 0406 'public' a221 020101 020100 020100 3016 3014 "
	    "0608 2b06010201010100 0408 'abcdefgh'" },
	{ "snmp", N, CLIENT, 162,
	    "3020 020101 0406 'public' a713 020101 020100 020100 3008 3006 "
	    "0602 2b06 0500" },
	{ "snmp", N, CLIENT, 162,
	    "3020 020100 0406 'public' a413 0602 2b06 4004 c0000201 020106 "
	    "020100 430101 3000" },
	/* Version 3: discovery, the engine's report, encrypted both ways. */
	{ "snmp", Q, CLIENT, 161,
	    "303a 020103 300f 02024a69 020300ffe3 040104 020103 0410 300e 0400 "
	    "020100 020100 0400 0400 0400 3012 0400 0400 a00c 020237f0 020100 "
	    "020100 3000" },
	{ "snmp", A, 161, CLIENT,
	    "303a 020103 300f 02024a69 020300ffe3 040100 020103 0410 300e 0400 "
	    "020100 020100 0400 0400 0400 3012 0400 0400 a80c 020237f0 020100 "
	    "020100 3000" },
	{ "snmp", Q, CLIENT, 161,
	    "3030 020103 300f 02024a69 020300ffe3 040107 020103 0404 30020400 "
	    "0414 5a*20" },
	{ "snmp", A, 161, CLIENT,
	    "3030 020103 300f 02024a69 020300ffe3 040103 020103 0404 30020400 "
	    "0414 5a*20" },
	{ "snmp", N, CLIENT, 162,
	    "3030 020103 300f 02024a69 020300ffe3 040103 020103 0404 30020400 "
	    "0414 5a*20" },
	{ "cldap!", Q, CLIENT, 389,
	    "3025 020101 6320 0400 0a0100 0a0100 020100 020100 010100 870b "
	    "'objectclass' 3000" },
	{ "cldap", A, 389, CLIENT,
	    "3084 00000030 020107 6484 00000027 0400 3084 00000000" },
	{ "radius", Q, CLIENT, 1812, "01 2a 001a 11*16 0106 'user'" },
	{ "radius", A, 1812, CLIENT, "03 2a 0014 11*16" },
	{ "rpc!", Q, CLIENT, 111,
	    "72fe1d13 00000000 00000002 000186a0 00000002 00000004 00*16" },
	{ "rpc", Q, CLIENT, 2049,
	    "72fe1d13 00000000 00000002 000186a3 00000003 00000000 00*16" },
	{ "rpc", A, 111, CLIENT, "72fe1d13 00000001 00*20" },
	{ "rpc", A, 111, CLIENT,
	    "72fe1d13 00000001 00000001 00000000 00000002 00000002" },
	{ "tftp", Q, CLIENT, 69, "0001 'r7tftp.txt' 00 'octet' 00" },
	{ "tftp", Q, CLIENT, 69,
	    "0002 'a' 00 'NetASCII' 00 'blksize' 00 '1428' 00" },
	{ "tftp", A, 1069, CLIENT, "0005 0001 'File not found' 00" },
	{ "kerberos", Q, CLIENT, 88, "6a81 6e30 816b a103020105 a20302010a" },
	{ "kerberos", A, 88, CLIENT, "7e20 301e a003020105 a10302011e" },
	{ "ipmi", Q, CLIENT, 623,
	    "0600ff07 00*9 0920 18 c8 81 00 38 8e 04 b5" },
	{ "ipmi", A, 623, CLIENT,
	    "0600ff07 00*9 1081 1c 63 20 00 38 00 01 97 00*8" },
	{ "ipmi", Q, CLIENT, 623, "0600ff06 000011be 80 00 00 00" },
	{ "ipmi", A, 623, CLIENT, "0600ff06 000011be 40 00 00 10 00*16" },
	{ "rip!", Q, 520, 520, "01010000 0000 00*17 10" },
	{ "rip", A, 520, 520,
	    "02020000 0002 0000 c0000200 ffffff00 00*4 "
	    "00000001" },
	{ "syslog", N, CLIENT, 514, "'<134>Oct 11 22:14:15 host su: failed'" },
	{ "netflow", N, CLIENT, 2055, "0005 0001 00*68" },
	{ "netflow", N, CLIENT, 9995, "0009 0001 00*16 0000 000c 00*8" },
	{ "ipfix", N, CLIENT, 4739, "000a 0014 00*16" },
	{ "sflow", N, CLIENT, 6343, "00000005 00000001 c0000201 00*20" },
	{ "pcp", Q, CLIENT, 5351, "0000" },
	{ "pcp", A, 5351, CLIENT, "0080 0000 00000001 c0000201" },
	{ "pcp", Q, CLIENT, 5351, "0201 0000 00000e10 00*52" },
	{ "pcp", A, 5351, CLIENT, "0281 0000 00000e10 00*52" },
	{ "rx", Q, CLIENT, 7001,
	    "000003e7 00000000 00000065 00000000 00000000 0d 05 00 00 0000 "
	    "0000" },
	{ "rx", A, 7001, CLIENT,
	    "000003e7 00000000 00000065 00000000 00000000 0d 04 00 00 0000 "
	    "0000 'OpenAFS' 00*58" },

	/* QUIC: a first Initial, a server's that is small, one with an empty
	 * id, negotiation, Retry, Handshake, 0-RTT, a made-up version. */
	{ "quic", Q, CLIENT, 443, "c3 00000001 08 61*8 00 00 4490 7a*1184" },
	{ "quic", Q, CLIENT, 4433, "c3 00000001 08 61*8 00 00 4490 7a*1184" },
	{ "quic", A, 443, CLIENT,
	    "c3 00000001 08 61*8 08 62*8 00 44b0 7a*300" },
	{ "quic", A, 4433, CLIENT, "c3 00000001 00 08 62*8 00 4490 7a*1184" },
	{ "quic", A, 443, CLIENT,
	    "c3 00000001 08 61*8 08 62*8 00 4490 "
	    "7a*1184" },
	{ "quic", E, CLIENT, 443, "c3 00000001 08 61*8 00 00 4040 7a*64" },
	{ "quic", A, 443, CLIENT, "80 00000000 08 61*8 08 62*8 00000001" },
	{ "quic", A, 4433, CLIENT, "f0 00000001 08 61*8 08 62*8 7a*40" },
	{ "quic", A, 443, CLIENT, "e0 00000001 08 61*8 08 62*8 4040 7a*64" },
	{ "quic", E, CLIENT, 443, "e0 00000001 08 61*8 08 62*8 4040 7a*64" },
	{ "quic", Q, CLIENT, 443, "d0 00000001 08 61*8 08 62*8 4040 7a*64" },
	{ "quic", Q, CLIENT, 443, "c0 1a2a3a4a 08 61*8 00 7a*1190" },
	{ "quic", Q, CLIENT, 443, "d3 6b3343cf 08 61*8 00 00 4490 7a*1184" },
	{ "gquic", Q, CLIENT, 80, "0d '12345678Q999' 00" },
	{ "gquic", Q, CLIENT, 443, "0d 11*8 'Q043' 01 7a*1300" },
	{ "gquic", A, 443, CLIENT, "09 11*8 'Q043Q046Q050'" },
	{ "dtls", Q, CLIENT, 443, "16 fefd 0000 00*6 0036 01 00*53" },
	{ "dtls", A, 443, CLIENT, "16 feff 0000 00*6 0023 03 00*34" },
	{ "dtls", A, 5684, CLIENT, "16 fefd 0000 00*6 0023 02 00*34" },
	{ "dtls", E, 5684, CLIENT, "17 fefd 0001 00*6 0010 aa*16" },
	{ "dtls", E, CLIENT, 443, "15 fefd 0000 00*6 0002 02 28" },
	{ "ike", Q, 500, 500, "11*8 00*8 21 20 22 08 00000000 0000001c" },
	{ "ike", A, 500, 500, "11*8 22*8 21 20 22 20 00000000 0000001c" },
	{ "ike", A, 500, CLIENT, "11*8 00*8 29 20 22 20 00000000 0000001c" },
	{ "ike", E, 4500, 4500,
	    "00000000 11*8 22*8 2e 20 23 08 00000001 0000001c" },
	{ "ike", Q, 500, 500, "11*8 00*8 01 10 02 00 00000000 0000001c" },
	{ "ike", Q, CLIENT, 500, "11*8 00*8 01 10 04 00 00000000 0000001c" },
	{ "ike", A, 500, 500, "11*8 22*8 01 10 02 00 00000000 0000001c" },
	{ "ike", E, 500, 500, "11*8 22*8 04 10 02 00 00000000 0000001c" },
	{ "ike", A, 500, 500, "11*8 22*8 0b 10 05 00 00000000 0000001c" },
	{ "ike", E, 500, 500, "11*8 22*8 08 10 05 01 00000001 0000001c" },
	{ "nat-keepalive", S, 4500, 4500, "ff" },
	{ "openvpn", Q, CLIENT, 1194, "38 51*8 00 00000000" },
	{ "openvpn", A, 1194, CLIENT, "40 52*8 01 00000000 51*8 00000000" },
	{ "l2tp", Q, CLIENT, 1701,
	    "c802 0014 0000 0000 0000 0000 8008 0000 0000 0001" },
	{ "l2tp", A, 1701, CLIENT,
	    "c802 0014 1234 0000 0000 0001 8008 0000 0000 0002" },
	{ "l2tp", E, CLIENT, 1701, "c802 000c 1234 0000 0001 0001" },
	{ "gtp", Q, CLIENT, 2152, "32 01 0004 00000000 0000 0000" },
	{ "gtp", A, 2152, 2152, "32 02 0006 00000000 0000 0000 0e00" },
	{ "gtp", Q, CLIENT, 2123, "40 01 0009 00000000 0300 0100 00" },
	{ "gtp", E, 2152, 2152, "30 ff 0004 00000001 45000000" },
	{ "gtp", A, 2123, CLIENT, "40 02 0009 00000000 0300 0100 00" },
	{ "rdp!", Q, CLIENT, 3389,
	    "ffffffff 0040 0001 1a2b3c4d 04d0 04d0 00*1216" },
	{ "rdp", A, 3389, CLIENT,
	    "1a2b3c4d 0040 0005 aabbccdd 04d0 04d0 "
	    "00*1216" },

	/* STUN: to a server; between peers; answers of both; without cookie. */
	{ "stun", Q, CLIENT, 3478, "0001 0000 2112a442 74*12" },
	{ "stun", Q, CLIENT, 19302, "0001 0000 2112a442 74*12" },
	{ "stun", Q, CLIENT, 443, "0001 0000 2112a442 74*12" },
	{ "stun", S, 50505, 61234,
	    "0001 0008 2112a442 74*12 0024 0004 6e7f1eff" },
	{ "stun", S, CLIENT, 50505, "0001 0000 2112a442 74*12" },
	{ "stun", S, 50505, 61234, "0011 0000 2112a442 74*12" },
	{ "stun", A, 3478, CLIENT,
	    "0101 000c 2112a442 74*12 0020 0008 0001 a147 e112a643" },
	{ "stun", A, 50505, 61234, "0111 0000 2112a442 74*12" },
	{ "stun", Q, CLIENT, 3478, "0001 0000 74*16" },
	{ "sip", Q, 5070, 5060, "'OPTIONS sip:100@198.51.100.7 SIP/2.0' 0d0a" },
	{ "sip", Q, 5060, 5060, "'REGISTER sip:example.org SIP/2.0' 0d0a" },
	{ "sip", E, 5060, 5060, "'ACK sip:a@example.org SIP/2.0' 0d0a" },
	{ "sip", A, 5060, 5070, "'SIP/2.0 401 Unauthorized' 0d0a" },
	{ "rtcp", E, 30001, 40393,
	    "80 c8 0006 3796cb71 00*20 81 ca 0003 00*12" },
	{ "rtp", E, 30000, 40392, "80 08 6fae 0001e5d8 3796cb71 d5*160" },
	{ "a2s!", Q, CLIENT, 27015, "ffffffff 'TSource Engine Query' 00" },
	{ "a2s!", Q, CLIENT, 27015, "ffffffff 'U' ffffffff" },
	{ "a2s", A, 27015, CLIENT, "ffffffff 'I' 11 'My server' 00" },
	{ "a2s", A, 27015, CLIENT, "ffffffff 'A' 01020304" },
	{ "quake!", Q, CLIENT, 27960, "ffffffff 'getstatus' 0a" },
	{ "quake", A, 27960, CLIENT, "ffffffff 'statusResponse' 0a '\\sv'" },
	{ "raknet!", Q, CLIENT, 19132,
	    "01 00*8 00ffff00fefefefefdfdfdfd12345678 00*8" },
	{ "raknet", A, 19132, CLIENT,
	    "1c 00*8 11*8 00ffff00fefefefefdfdfdfd12345678 0004 'MCPE'" },

	{ "coap!", Q, CLIENT, 5683, "40 01 7d34 bb '.well-known' 04 'core'" },
	{ "coap", Q, CLIENT, 5683, "50 01 7d34 b4 'time'" },
	{ "coap", Q, CLIENT, 5683, "40 00 7d34" },
	{ "coap", A, 5683, CLIENT, "70 00 7d34" },
	{ "coap", A, 5683, CLIENT, "60 45 7d34 c1 28 ff '</a>'" },
	{ "bacnet!", Q, CLIENT, 47808, "81 0b 000c 01 20 ffff 00 ff 10 08" },
	{ "bacnet!", Q, CLIENT, 47808,
	    "81 0a 0011 01 04 00 05 01 0c 0c 023fffff 19 4b" },
	{ "bacnet", A, 47808, CLIENT,
	    "81 0a 0014 01 00 30 01 0c 0c 02000001 19 4b 3e c4 02 3f" },
	{ "bacnet", A, 47808, CLIENT, "81 0a 0009 01 00 50 01 0c" },
	{ "enip!", Q, CLIENT, 44818, "6300 0000 00*20" },
	{ "enip", A, 44818, CLIENT, "6300 0400 00*24" },
	{ "enip-io", E, 2222, 2222,
	    "0200 0280 0800 01000000 02000000 b100 0200 0100" },
	{ "knx", Q, CLIENT, 3671, "0610 0203 000e 0801 00*6" },
	{ "knx", A, 3671, CLIENT, "0610 0204 000e 0801 00*6" },
	{ "knx", E, 3671, CLIENT, "0610 0420 000a 0401 0000" },
	{ "dnp3", Q, CLIENT, 20000, "0564 05 c9 0100 0000 dc8e" },
	{ "dnp3", A, 20000, CLIENT, "0564 05 0b 0000 0100 dc8e" },
	{ "dahua!", Q, CLIENT, 37810,
	    "20000000 'DHIP' 00*24 '{\"method\":\"DHDiscover.search\"}'" },
	{ "dahua", A, 37810, CLIENT,
	    "20000000 'DHIP' 00*24 '{\"mac\":\"00\",\"method\":\"client."
	    "notifyDevInfo\"}'" },
	{ "ubiquiti!", Q, CLIENT, 10001, "01000000" },
	{ "ubiquiti", A, 10001, CLIENT, "01000007 02000400 111213" },
	{ "lantronix", Q, CLIENT, 30718, "000000f6" },
	{ "lantronix", A, 30718, CLIENT, "000000f7 00*26" },
	{ "moxa", Q, CLIENT, 4800, "01000008 00000000" },
	{ "moxa", A, 4800, CLIENT, "81000018 00000000" },

	{ "memcached!", Q, CLIENT, 11211, "0001 0000 0001 0000 'stats' 0d0a" },
	{ "memcached", Q, CLIENT, 11211, "0001 0000 0001 0000 'version' 0d0a" },
	{ "memcached", A, 11211, CLIENT,
	    "0001 0000 0001 0000 'VALUE x 0 400' 0d0a 61*400" },
	{ "memcached@", A, 11211, CLIENT, "0001 0003 0009 0000 61*1392" },
	{ "chargen", A, 19, CLIENT,
	    "' !\"#$%&' 27 '()*+,-./0123456789:;<=>?@ABC' 0d0a" },
	{ "qotd", A, 17, CLIENT, "'\"Behold the turtle.\" (Conant)' 0d0a" },
	{ "daytime", A, 13, CLIENT, "'27 NOV 2026 20:35:12 UTC' 0d0a" },
	{ "ssrp!", Q, CLIENT, 1434, "02" },
	{ "ssrp", Q, CLIENT, 1434, "04 'SQLEXPRESS' 00" },
	{ "ssrp", Q, CLIENT, 1434, "04 01*96 41*279" },
	{ "ssrp", A, 1434, CLIENT, "05 0a00 'ServerName'" },
	{ "xdmcp", Q, CLIENT, 177, "0001 0002 0001 00" },
	{ "xdmcp", A, 177, CLIENT, "0001 0005 0004 00*4" },
	{ "ard!", Q, CLIENT, 3283, "00140000" },
	{ "ard", A, 3283, CLIENT, "0001 03e8 00*1000" },
	{ "db2", Q, CLIENT, 523, "'DB2GETADDR' 00 'SQL08020' 00" },
	{ "db2", A, 523, CLIENT, "'DB2RETADDR' 00 'SQL08020' 00" },
	{ "pcanywhere", Q, CLIENT, 5632, "'NQ'" },
	{ "pcanywhere", A, 5632, CLIENT, "'NR' 'HOST'" },

	{ "utp", S, 50000, 6881,
	    "41 00 0009 00000001 00000000 00038000 0001 0000" },
	{ "utp", S, 50000, 6881,
	    "41 02 0009 01020304 00000000 00038000 abcd 0000 00 08 00*8" },
	{ "utp", S, 50000, 51413,
	    "31 00 0009 01020304 00000100 00000000 abcd 0000" },
	{ "dht", S, 50000, 6881,
	    "'d1:ad2:id20:' 61*20 'e1:q4:ping1:t2:aa1:y1:qe'" },
	{ "dht", S, 50000, 6881,
	    "'d2:ip6:' 0a*6 '1:rd2:id20:' 61*20 'e1:t2:aa1:y1:re'" },
	{ "dht", S, 50000, 6881,
	    "'d1:eli203e14:Protocol Errore1:t2:aa1:y1:ee'" },
	{ "dht", S, 50000, 6881,
	    "'d1:ad2:id20:' 61*20 'e1:q4:ping2:roi1e1:t2:aa1:y1:qe'" },
	{ "dht", S, 50000, 6881,
	    "'d1:y1:q1:t4:abcd1:q9:get_peers1:v4:UT' 00*2 '1:ad2:id20:' 61*20 "
	    "'9:info_hash20:' 62*20 'ee'" },
	{ "bittorrent-tracker", S, 50000, 6969,
	    "0000041727101980 00000000 01020304" },
	{ "edonkey", S, 50000, 4672, "e4 60 6b*24" },
	{ "edonkey", S, 50000, 4672, "e3 96 01020304" },
	{ "edonkey", S, 50000, 4672, "e5 2b 789c 01020304" },
	{ "teredo", S, 50000, 3544,
	    "60000000 0000 3bff 20010000*1 00*12 20010db8 00*12" },
	{ "wireguard", S, CLIENT, 51820, "01000000 aa*144" },
	{ "wireguard", A, 51820, CLIENT, "02000000 aa*88" },
	{ "wireguard", S, CLIENT, 443, "04000000 aa*44" },
	{ "ethereum", S, 30303, 30303, "aa*96 01 01 dd aa*29" },
	{ "tailscale", S, 41641, 41641, "'TS' f09f92ac aa*90" },

	{ "dhcp", L, 67, 67, "01010601 00*236" },
	{ "dhcp", L, 68, 67, "01010600 00*232 63825363 350101ff" },
	{ "dhcp6", L, 546, 547, "01 0a0b0c 0001 0004 00030001 0008 0002 0000" },
	{ "dhcp6", L, 547, 547, "0c 00 00*32 0009 0004 01020304" },
	{ "netbios-dgm", L, 138, 138,
	    "11 02 1234 c0a80001 008a 00bb 0000 20 'EKFAEMEPEBEHEJEMEMFAEMEPEB"
	    "EHEJCA' 00 00*40" },
	{ "bfd", L, 49152, 3784, "20 c8 03 18 00000001 00*16" },
	{ "hsrp", L, 1985, 1985,
	    "00 00 10 03 0a 78 01 00 'cisco' 00*3 0a000001" },
	{ "hsrp", L, 1985, 1985, "01 28 02 00 06 04 00*38" },
	{ "glbp", L, 3222, 3222, "01 00 0001 0000 000707070707" },
	{ "ptp", L, 319, 319, "01 02 002c 00*40" },
	{ "dropbox", L, 17500, 17500,
	    "'{\"host_int\": 1234, \"version\": [2]}'" },
	{ "spotify", L, 57621, 57621, "'SpotUdp0' 00*36" },
	{ "steam-lan", L, 27036, 27036, "ffffffff '!L_' a0" },
	{ "bjnp", L, 8612, 8612, "'BJNP' 01 01" },
	{ "bittorrent-lsd", L, 6771, 6771, "'BT-SEARCH * HTTP/1.1' 0d0a" },
};

static bool is_named(const struct known *k, const char *name)
{
	size_t len = strcspn(k->protocol, "!@");
	return name && strlen(name) == len &&
	    strncmp(name, k->protocol, len) == 0;
}

static void each_protocol_is_read_by_its_content(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		const struct known *k = &known[i];
		uint8_t octets[2048];
		size_t len = octets_of(octets, sizeof(octets), k->octets);
		struct message m =
		    read_datagram(k->sport, k->dport, octets, len, len);
		if (m.role != k->role || !is_named(k, m.protocol) ||
		    m.amplifies != (strchr(k->protocol, '!') != NULL))
			fail_msg("%s %u>%u %.60s: %s %s%s", k->protocol,
			    k->sport, k->dport, k->octets,
			    m.protocol ? m.protocol : "-",
			    message_role_name(m.role), m.amplifies ? "!" : "");
	}
}

static const struct udp_protocol *protocol_at(size_t i, uint16_t *port)
{
	return message_udp_protocol(i, port);
}

static void the_table_is_in_order(void **state)
{
	(void)state;
	uint16_t port, before = 0;
	const struct udp_protocol *p;
	for (size_t i = 0; (p = protocol_at(i, &port)) != NULL; i++) {
		assert_non_null(p->name);
		assert_true(p->bits >= 6);
		if (port == 0)
			continue;
		assert_true(port >= before);
		before = port;
	}
}

/* Each row has a datagram above that it is known by, in each direction that it
 * can tell. */
static void each_row_has_its_datagrams(void **state)
{
	(void)state;
	uint16_t port;
	const struct udp_protocol *p;
	for (size_t i = 0; (p = protocol_at(i, &port)) != NULL; i++) {
		bool roles[MESSAGE_ROLES] = { false };
		for (size_t k = 0; k < COUNT(known); k++)
			if (is_named(&known[k], p->name))
				roles[known[k].role] = true;
		if ((p->is_question && !roles[Q]) ||
		    (p->is_answer && !roles[A]) || (p->is_stray && !roles[S]) ||
		    (p->is_other && !roles[p->other]))
			fail_msg("%s has no example", p->name);
	}
}

/* Linux' traceroute and Windows' ping fill their probes with rows of
 * characters, as chargen its answers. */
static void filler_is_of_no_protocol(void **state)
{
	(void)state;
	static const char *const fillers[] = {
		"@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]", "abcdefghijklmnopqrstuvw",
		" !\"#$%&'()*+,-./0123456789"
	};
	for (size_t i = 0; i < COUNT(fillers); i++) {
		size_t len = strlen(fillers[i]);
		struct message m =
		    read_datagram(CLIENT, 33434, fillers[i], len, len);
		assert_int_equal(m.role, E);
		assert_null(m.protocol);
		m = read_datagram(CLIENT, 19, fillers[i], len, len);
		assert_int_equal(m.role, E);
	}
}

/* What is believed by its content is known between any ports, and with the
 * ports of others: asks and answers are what they are wherever they go. */
static void content_needs_no_port(void **state)
{
	(void)state;
	static const uint16_t ports[][2] = { { 41000, 42000 }, { 161, 42000 },
		{ 123, 47000 }, { 41000, 25 } };
	uint16_t port;
	const struct udp_protocol *p;
	for (size_t i = 0; (p = protocol_at(i, &port)) != NULL; i++) {
		if (port != 0 || strcmp(p->name, "rtp") == 0)
			continue;
		for (size_t k = 0; k < COUNT(known); k++) {
			uint8_t octets[2048];
			if (!is_named(&known[k], p->name) ||
			    strchr(known[k].protocol, '@'))
				continue;
			size_t len =
			    octets_of(octets, sizeof(octets), known[k].octets);
			/* Ports below 1024 are no peer's. */
			size_t pairs = known[k].role == S ? 1 : COUNT(ports);
			for (size_t n = 0; n < pairs; n++) {
				struct message m = read_datagram(
				    ports[n][0], ports[n][1], octets, len, len);
				if (!is_named(&known[k], m.protocol))
					fail_msg("%s %.50s: %s between %u and "
						 "%u",
					    p->name, known[k].octets,
					    m.protocol, ports[n][0],
					    ports[n][1]);
			}
		}
	}
}

/* Wherever the capture ends, and wherever the datagram does, reading goes no
 * further than what is there (the sanitizers see to that), and a cut capture
 * of a question is never an answer. */
static void a_cut_datagram_is_read_as_far_as_it_goes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		const struct known *k = &known[i];
		uint8_t octets[2048];
		size_t len = octets_of(octets, sizeof(octets), k->octets);
		for (size_t cut = 0; cut < len && cut < 200; cut++) {
			uint8_t *part = malloc(cut ? cut : 1);
			assert_non_null(part);
			memcpy(part, octets, cut);
			read_datagram(k->sport, k->dport, part, cut, cut);
			struct message m =
			    read_datagram(k->sport, k->dport, part, cut, len);
			bool turned = (m.role == A && k->role == Q) ||
			    (m.role == Q && k->role == A);
			if (turned && cut >= 60)
				fail_msg("%s cut at %zu: %s %s", k->protocol,
				    cut, m.protocol, message_role_name(m.role));
			free(part);
		}
	}
}

static uint64_t random_next(uint64_t *seed)
{
	*seed += HASH_GOLDEN;
	return hash_finish(*seed);
}

/* Random lengths: each short one often, and up to a packet's. */
static size_t random_payload(uint8_t *to, size_t size, uint64_t *seed)
{
	uint64_t draw = random_next(seed);
	size_t len = draw & 1 ? draw >> 8 & 63 : (draw >> 8) % size;
	for (size_t i = 0; i < len; i += 8) {
		uint64_t octets = random_next(seed);
		memcpy(to + i, &octets, 8);
	}
	return len;
}

/* What is expected of `draws` tries with this chance, and six deviations: less
 * than once in 10^8 tests without a fault, and the seed is fixed. */
static double most_of(double draws, double chance)
{
	double mean = draws * chance, deviation = 1;
	while (deviation * deviation < mean)
		deviation += 1;
	return mean + 6 * deviation;
}

#define DRAWS 30000

/* A payload without a meaning is of no protocol, between any ports, but for the
 * chance that each row states. */
static void random_payloads_are_of_no_protocol(void **state)
{
	(void)state;
	uint8_t payload[1480];
	uint64_t seed = 1;
	uint16_t port;
	const struct udp_protocol *p;
	for (size_t i = 0; (p = protocol_at(i, &port)) != NULL; i++) {
		double hits = 0;
		for (int n = 0; n < DRAWS && port != 0; n++) {
			size_t len =
			    random_payload(payload, sizeof(payload) - 8, &seed);
			bool from = random_next(&seed) & 1;
			struct message m = read_datagram(from ? port : CLIENT,
			    from ? CLIENT : port, payload, len, len);
			hits += m.protocol && strcmp(m.protocol, p->name) == 0;
		}
		double chance = ldexp(1, -p->bits);
		if (hits > most_of(DRAWS, chance))
			fail_msg("%s from port %u: %g of %d", p->name, port,
			    hits, DRAWS);
	}
}

static void random_payloads_between_any_ports_are_unknown(void **state)
{
	(void)state;
	uint8_t payload[1480];
	uint64_t seed = 2;
	uint16_t port;
	const struct udp_protocol *p;
	double chance = 0, hits = 0, wrong = 0;
	for (size_t i = 0; (p = protocol_at(i, &port)) != NULL; i++)
		if (port == 0 && p->bits < 60)
			chance += ldexp(1, -p->bits);
	for (int n = 0; n < 10 * DRAWS; n++) {
		size_t len =
		    random_payload(payload, sizeof(payload) - 8, &seed);
		uint64_t ports = random_next(&seed);
		struct message m = read_datagram((uint16_t)(ports | 1024),
		    (uint16_t)(ports >> 16 | 1024), payload, len, len);
		hits += m.protocol != NULL;
		wrong += m.role == Q || m.role == A;
	}
	/* One in 100 gets a name, mostly "rtp", which decides nothing; one in
	 * 10,000 a direction. */
	assert_true(chance < 0.011);
	assert_true(hits <= most_of(10 * DRAWS, chance));
	assert_true(wrong <= most_of(10 * DRAWS, 1e-4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_protocol_is_read_by_its_content),
		cmocka_unit_test(the_table_is_in_order),
		cmocka_unit_test(each_row_has_its_datagrams),
		cmocka_unit_test(filler_is_of_no_protocol),
		cmocka_unit_test(content_needs_no_port),
		cmocka_unit_test(a_cut_datagram_is_read_as_far_as_it_goes),
		cmocka_unit_test(random_payloads_are_of_no_protocol),
		cmocka_unit_test(random_payloads_between_any_ports_are_unknown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
