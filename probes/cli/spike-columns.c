/* SPDX-License-Identifier: ISC */
/*
 * The names are in the order in which they are preferred, where a table has
 * several.  A column of source ports is none of them: it says nothing about
 * what was attacked.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/xalloc.h"
#include "probes/cli/spike-columns.h"

#define NAMES_MOST 28

static const struct {
	const char *own;
	const char *names[NAMES_MOST]; /* up to NULL */
} known[SPIKE_COLUMNS] = {
	[SPIKE_TIME] = { "time",
	    { "time", "timestamp", "@timestamp", "ts", "datetime", "date_time",
		"first", "first_seen", "firstseen", "start", "start_time",
		"starttime", "stime", "event_time", "frame.time_epoch",
		"frame.time", "time_first", "when", "date", "day" } },
	[SPIKE_SOURCE] = { "source",
	    { "source", "src", "src_ip", "srcip", "source_ip", "source.ip",
		"sourceip", "ip.src", "ipv6.src", "src_addr", "srcaddr",
		"source_address", "src_address", "saddr", "sip", "sa",
		"id.orig_h", "orig_h", "src_host", "attacker_ip", "attacker",
		"remote_ip", "client_ip", "ip", "address", "addr" } },
	[SPIKE_SIGNATURE] = { "signature",
	    { "signature", "sig", "malware", "family", "worm" } },
	[SPIKE_PORT] = { "port",
	    { "port", "dport", "dst_port", "dstport", "dest_port", "destport",
		"destination_port", "destination.port", "dpt", "dp",
		"id.resp_p", "resp_p", "tcp.dstport", "udp.dstport",
		"target_port", "destport" } },
	[SPIKE_COUNT] = { "count",
	    { "count", "counts", "n", "number", "sources", "distinct_sources",
		"unique_sources" } },
};

const char *spike_column_name(enum spike_column column)
{
	return known[column].own;
}

bool spike_column_is_own(enum spike_column column, const char *name)
{
	return strcasecmp(name, known[column].own) == 0;
}

/* "Source IP" is source_ip, and "Dest. Port" dest_port. */
static bool is_same_name(const char *a, const char *b)
{
	static const char between[] = " _.-/";
	while (*a && *b) {
		size_t m = strspn(a, between), n = strspn(b, between);
		if ((m > 0) != (n > 0))
			return false;
		a += m;
		b += n;
		if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
			return false;
		a += *a != '\0';
		b += *b != '\0';
	}
	return *a == *b;
}

size_t spike_column_find(
    enum spike_column column, const char *const *names, size_t count)
{
	for (const char *const *n = known[column].names; *n; n++)
		for (size_t i = 0; i < count; i++)
			if (is_same_name(*n, names[i]))
				return i;
	return SPIKE_NO_COLUMN;
}

static int find_key(const char *text, size_t len)
{
	for (int c = 0; c < SPIKE_COLUMNS; c++)
		if (strlen(known[c].own) == len &&
		    strncasecmp(known[c].own, text, len) == 0)
			return c;
	return -1;
}

int spike_choice_parse(
    struct spike_choice *choice, const char *text, struct errmsg *msg)
{
	while (*text) {
		size_t len = strcspn(text, ","), key = strcspn(text, "=");
		int c = key < len ? find_key(text, key) : -1;
		if (c < 0 || len - key < 2)
			return err_set(msg, ERR_USAGE,
			    "--columns: expected time=NAME, source=NAME, "
			    "signature=NAME, port=NAME or count=NAME, got "
			    "'%.*s'",
			    (int)len, text);
		free(choice->columns[c]);
		choice->columns[c] = xstrndup(text + key + 1, len - key - 1);
		text += len + (text[len] == ',');
	}
	if (!choice->columns[SPIKE_TIME] ||
	    !choice->columns[SPIKE_SOURCE] == !choice->columns[SPIKE_COUNT])
		return err_set(msg, ERR_USAGE,
		    "--columns: expected time and one of source and count");
	return 0;
}

void spike_choice_fini(struct spike_choice *choice)
{
	for (int c = 0; c < SPIKE_COLUMNS; c++)
		free(choice->columns[c]);
}

bool spike_choice_is_made(const struct spike_choice *choice)
{
	return choice->columns[SPIKE_TIME] != NULL;
}
