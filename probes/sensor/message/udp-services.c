/* SPDX-License-Identifier: ISC */
/* Small services of hosts, among them those that amplify. */
#include "probes/sensor/message/datagram.h"

/*
 * memcached: its protocol.txt, "UDP protocol": request id, sequence, number of
 * datagrams, 0, two octets each; then text, or the binary protocol's magic.
 */
#define MEMCACHED_HEADER_LEN 8

static bool memcached_is_framed(const struct datagram *d)
{
	return datagram_has(d, 0, MEMCACHED_HEADER_LEN) &&
	    datagram_be16(d, 6) == 0 &&
	    datagram_be16(d, 2) < datagram_be16(d, 4);
}

static bool memcached_is_question(const struct datagram *d)
{
	static const char commands[] =
	    "stats\0get \0gets \0gat \0gats \0mg \0set \0add \0replace \0"
	    "append \0prepend \0delete \0incr \0decr \0touch \0version\0"
	    "flush_all\0verbosity\0\x80\0";
	return memcached_is_framed(d) && datagram_be16(d, 2) == 0 &&
	    datagram_be16(d, 4) == 1 &&
	    datagram_has_word(d, MEMCACHED_HEADER_LEN, commands);
}

/* Only the first datagram of a long answer shows words. */
static bool memcached_is_answer(const struct datagram *d)
{
	static const char words[] =
	    "VALUE \0STAT \0END\r\n\0ERROR\r\n\0CLIENT_ERROR \0SERVER_ERROR \0"
	    "VERSION \0STORED\r\n\0NOT_STORED\0NOT_FOUND\0DELETED\0EXISTS\0"
	    "OK\r\n\0TOUCHED\0\x81\0";
	if (!memcached_is_framed(d))
		return false;
	if (datagram_be16(d, 2) > 0)
		return d->sport == 11211 && d->wire > 1000;
	return datagram_has_word(d, MEMCACHED_HEADER_LEN, words);
}

static bool memcached_amplifies(const struct datagram *d)
{
	return datagram_has_word(
	    d, MEMCACHED_HEADER_LEN, "stats\0get\0gat\0mg \0\x80\0");
}

const struct udp_protocol udp_memcached = {
	.name = "memcached",
	.bits = 16,
	.is_question = memcached_is_question,
	.is_answer = memcached_is_answer,
	.amplifies = memcached_amplifies,
};

/* Character generator: RFC 864: lines of 72 characters that begin one further
 * each time in the ring of the 95 printable ones.  Any datagram asks.  From
 * other ports such a row is what traceroute and ping fill their probes with. */
#define CHARGEN_RUN 16
#define TEXT_LEAST 16
#define TEXT_MOST 64

static bool chargen_is_answer(const struct datagram *d)
{
	if (d->sport != 19 || !datagram_has(d, 0, CHARGEN_RUN))
		return false;
	for (size_t i = 1; i < CHARGEN_RUN; i++) {
		unsigned next = d->at[i - 1] == 0x7e ? 0x20 : d->at[i - 1] + 1u;
		if (d->at[i] != next || next > 0x7e || next < 0x20)
			return false;
	}
	return true;
}

const struct udp_protocol udp_chargen = {
	.name = "chargen",
	.bits = 60,
	.is_answer = chargen_is_answer,
};

/* Quote of the day: RFC 865, daytime: RFC 867.  Text from their ports; not to
 * their ports, where it could be anything. */
static bool is_text_answer(const struct datagram *d, uint16_t port)
{
	size_t len = d->len < TEXT_MOST ? d->len : TEXT_MOST;
	return d->sport == port && d->dport >= 1024 && len >= TEXT_LEAST &&
	    datagram_is_text(d, 0, len);
}

static bool qotd_is_answer(const struct datagram *d)
{
	return is_text_answer(d, 17);
}

const struct udp_protocol udp_qotd = {
	.name = "qotd",
	.bits = 20,
	.is_answer = qotd_is_answer,
};

/* A time of day has two colons between digits, three apart. */
static bool daytime_is_answer(const struct datagram *d)
{
	if (!is_text_answer(d, 13))
		return false;
	for (size_t i = 2; datagram_has(d, i, 5); i++)
		if (d->at[i] == ':' && d->at[i + 3] == ':' &&
		    d->at[i - 1] >= '0' && d->at[i - 1] <= '9')
			return true;
	return false;
}

const struct udp_protocol udp_daytime = {
	.name = "daytime",
	.bits = 24,
	.is_answer = daytime_is_answer,
};

/* SQL Server's browser: MC-SQLR section 2.2: 2 and 3 ask for all instances, 4
 * for one by its name (or is a worm's: 4 and a run of 1), 0f for its
 * administrator's port; 5 and a length answer. */
#define SSRP_NAME_MAX 33
#define SSRP_RUN 16

static bool ssrp_is_named(const struct datagram *d)
{
	size_t i = 1;
	while (datagram_has(d, i, 1) && d->at[i] > 0x20 && d->at[i] < 0x7f)
		i++;
	return d->wire <= 1 + SSRP_NAME_MAX && i > 1 &&
	    (i == d->len || d->at[i] == 0);
}

static bool ssrp_is_question(const struct datagram *d)
{
	if (!datagram_has(d, 0, 1))
		return false;
	unsigned first = d->at[0];
	if (first == 2 || first == 3)
		return d->wire == 1;
	if (first == 0x0f)
		return datagram_has(d, 0, 2) && d->at[1] == 1 &&
		    d->wire <= 2 + SSRP_NAME_MAX;
	if (first != 4)
		return false;
	size_t run = 1;
	while (run < SSRP_RUN && datagram_has(d, run, 1) && d->at[run] == 1)
		run++;
	return run == SSRP_RUN || ssrp_is_named(d);
}

static bool ssrp_is_answer(const struct datagram *d)
{
	return datagram_has(d, 0, 3) && d->at[0] == 5 &&
	    datagram_le16(d, 1) + (size_t)3 == d->wire;
}

static bool ssrp_amplifies(const struct datagram *d)
{
	return d->wire == 1;
}

const struct udp_protocol udp_ssrp = {
	.name = "ssrp",
	.bits = 6,
	.is_question = ssrp_is_question,
	.is_answer = ssrp_is_answer,
	.amplifies = ssrp_amplifies,
};

/* XDMCP: X Consortium standard, section 10: | 0001 | opcode 2 | length 2 |. */
static unsigned xdmcp_opcode(const struct datagram *d)
{
	return datagram_has(d, 0, 6) && datagram_be16(d, 0) == 1 &&
		datagram_be16(d, 4) + (size_t)6 == d->wire
	    ? datagram_be16(d, 2)
	    : 0;
}

static bool xdmcp_is_question(const struct datagram *d)
{
	unsigned o = xdmcp_opcode(d);
	return (o >= 1 && o <= 4) || o == 7 || o == 10 || o == 13;
}

static bool xdmcp_is_answer(const struct datagram *d)
{
	unsigned o = xdmcp_opcode(d);
	return o == 5 || o == 6 || o == 8 || o == 9 || o == 11 || o == 12 ||
	    o == 14;
}

const struct udp_protocol udp_xdmcp = {
	.name = "xdmcp",
	.bits = 42,
	.is_question = xdmcp_is_question,
	.is_answer = xdmcp_is_answer,
};

/* Apple Remote Desktop (as in Netscout's notice on ARMS, 2019): 00140000 asks;
 * 0001, a length and 1,000 octets and more answer. */
static bool ard_is_question(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "\x00\x14\x00\x00") && d->wire <= 8;
}

static bool ard_is_answer(const struct datagram *d)
{
	return datagram_has(d, 0, 4) && datagram_be16(d, 0) == 1 &&
	    datagram_be16(d, 2) + (size_t)4 == d->wire;
}

const struct udp_protocol udp_ard = {
	.name = "ard",
	.bits = 30,
	.is_question = ard_is_question,
	.is_answer = ard_is_answer,
	.amplifies = ard_is_question,
};

/* DB2's discovery (nmap's db2-discover). */
static bool db2_is_question(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "DB2GETADDR");
}

static bool db2_is_answer(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "DB2RETADDR");
}

const struct udp_protocol udp_db2 = {
	.name = "db2",
	.bits = 60,
	.is_question = db2_is_question,
	.is_answer = db2_is_answer,
};

/* pcAnywhere's status (nmap's pcanywhere payloads): NQ and ST ask, NR and ST
 * with a state answer. */
static bool pcanywhere_is_question(const struct datagram *d)
{
	return d->wire == 2 &&
	    (DATAGRAM_STARTS(d, "NQ") || DATAGRAM_STARTS(d, "ST"));
}

static bool pcanywhere_is_answer(const struct datagram *d)
{
	return d->wire > 2 &&
	    (DATAGRAM_STARTS(d, "NR") || DATAGRAM_STARTS(d, "ST"));
}

const struct udp_protocol udp_pcanywhere = {
	.name = "pcanywhere",
	.bits = 14,
	.is_question = pcanywhere_is_question,
	.is_answer = pcanywhere_is_answer,
};
