/* SPDX-License-Identifier: ISC */
/*
 * The rows of a source: a list in which the row that was used last is first.
 * A source has so many rows with ports of their own; further ports are folded
 * into one row for each class and protocol, and marked in a map.
 */
#include <string.h>

#include "lib/packet/octets.h"
#include "probes/sensor/table-private.h"

void rows_free_payload(struct table *t, struct table_row *row)
{
	if (row->payload == 0)
		return;
	memcpy(t->hashes[row->payload - 1], &t->hash_free, 4);
	t->hash_free = row->payload - 1;
	row->payload = 0;
}

void rows_free(struct table *t, struct source *s)
{
	uint32_t n = s->rows;
	while (n != ROW_NONE) {
		struct table_row *row = &t->rows[n];
		uint32_t next = row->next;
		target_set_clear(t->targets, &row->targets);
		rows_free_payload(t, row);
		row->next = t->row_free;
		t->row_free = n;
		n = next;
	}
	s->rows = ROW_NONE;
}

void rows_free_more(struct table *t, struct source *s)
{
	if (s->more == MORE_NONE)
		return;
	struct source_more *m = &t->more[s->more];
	target_set_clear(t->targets, &m->addresses);
	if (m->ports > 0) {
		t->port_maps[m->ports - 1][0] = t->port_map_free;
		t->port_map_free = m->ports - 1;
	}
	m->next = t->more_free;
	t->more_free = s->more;
	s->more = MORE_NONE;
}

struct source_more *rows_more(struct table *t, struct source *s)
{
	if (s->more != MORE_NONE)
		return &t->more[s->more];
	uint32_t n = t->more_free;
	if (n != MORE_NONE)
		t->more_free = t->more[n].next;
	else if (t->more_made < t->more_max)
		n = t->more_made++;
	else
		return NULL;
	octets_clear(&t->more[n], sizeof(t->more[n]));
	s->more = n;
	return &t->more[n];
}

void rows_note_payload(
    struct table *t, struct table_row *row, const struct packet *p)
{
	uint32_t n = t->hash_free;
	if (n != ROW_NONE)
		memcpy(&t->hash_free, t->hashes[n], 4);
	else if (t->hash_made < t->hash_max)
		n = t->hash_made++;
	else
		return;
	payloads_note(t->config.payloads, p->payload, p->payload_len,
	    p->payload_wire_len, t->hashes[n]);
	row->payload = n + 1;
}

static uint32_t take_row(struct table *t)
{
	uint32_t n = t->row_free;
	if (n != ROW_NONE) {
		t->row_free = t->rows[n].next;
		return n;
	}
	return t->row_made++;
}

/* Protocols without ports of their own are one, and have their number as
 * port. */
static uint8_t row_proto(uint8_t proto)
{
	switch (proto) {
	case PACKET_TCP:
	case PACKET_UDP:
	case PACKET_ICMP:
	case PACKET_ICMP6:
	case ROW_PROTO_SCTP: return proto;
	default: return ROW_PROTO_OTHER;
	}
}

static uint32_t key_of(const struct table_entry *e, enum packet_class class)
{
	const struct packet *p = &e->packet;
	const struct message *m = &e->reading.message;
	uint8_t proto = row_proto(p->proto);
	bool icmp = proto == PACKET_ICMP || proto == PACKET_ICMP6;
	bool answers = class == CLASS_BACKSCATTER || class == CLASS_REPLY;
	uint32_t port = answers ? m->sport : m->dport;
	if (proto == ROW_PROTO_OTHER)
		port = p->proto;
	else if (m->kind != KIND_FRAGMENT && icmp)
		port = (uint32_t)p->icmp_type << 8 | p->icmp_code;
	else if (m->kind == KIND_FRAGMENT || class == CLASS_OTHER ||
	    class == CLASS_LOCAL)
		port = 0;
	return ROW_KEY(class, e->reading.match.worm, proto, port);
}

static uint32_t folded(uint32_t key, enum packet_class class)
{
	uint32_t kept = class == CLASS_OTHER || class == CLASS_LOCAL
	    ? 0xff000000
	    : 0xffff0000;
	return (key & kept) | ROW_KEY_FOLDED;
}

/* Moves the row to the front of its source: it will be asked for again. */
static uint32_t find_row(struct table *t, struct source *s, uint32_t key)
{
	uint32_t before = ROW_NONE;
	for (uint32_t n = s->rows; n != ROW_NONE; n = t->rows[n].next) {
		if (t->rows[n].key != key) {
			before = n;
			continue;
		}
		if (before != ROW_NONE) {
			t->rows[before].next = t->rows[n].next;
			t->rows[n].next = s->rows;
			s->rows = n;
		}
		return n;
	}
	return ROW_NONE;
}

static uint32_t add_row(struct table *t, struct source *s, uint32_t key)
{
	uint32_t n = take_row(t);
	struct table_row *row = &t->rows[n];
	octets_clear(row, sizeof(*row));
	row->next = s->rows;
	row->key = key;
	row->flags = key & ROW_KEY_FOLDED ? ROW_FOLDED : 0;
	s->rows = n;
	s->row_count++;
	return n;
}

/* Once a source has used its rows, ports are counted in a map. */
static void note_port(struct table *t, struct source *s, uint32_t key)
{
	struct source_more *m = rows_more(t, s);
	if (!m || m->ports_lost)
		return;
	if (m->ports == 0) {
		uint32_t n = t->port_map_free;
		if (n != ROW_NONE)
			t->port_map_free = (uint32_t)t->port_maps[n][0];
		else if (t->port_map_made < t->port_map_max)
			n = t->port_map_made++;
		if (n == ROW_NONE) {
			m->ports_lost = true;
			return;
		}
		memset(t->port_maps[n], 0, sizeof(t->port_maps[n]));
		m->ports = n + 1;
	}
	uint16_t port = key & 0xffff;
	t->port_maps[m->ports - 1][port / 64] |= UINT64_C(1) << (port % 64);
}

struct table_row *rows_find(struct table *t, struct source *s,
    const struct table_entry *e, enum packet_class class)
{
	uint32_t key = key_of(e, class);
	uint32_t n = s->rows;
	if (n == ROW_NONE || t->rows[n].key != key)
		n = find_row(t, s, key);
	if (n == ROW_NONE && s->row_count >= ROWS_WITH_PORT_MAX) {
		if (class == CLASS_PROBE)
			note_port(t, s, key);
		key = folded(key, class);
		n = find_row(t, s, key);
	}
	return &t->rows[n != ROW_NONE ? n : add_row(t, s, key)];
}

void rows_mark_answered(
    struct table *t, struct source *s, uint8_t ip_proto, uint16_t dport)
{
	if (!s)
		return;
	for (int class = CLASS_PROBE; class <= CLASS_STRAY;
	     class += CLASS_STRAY - CLASS_PROBE) {
		uint8_t proto = row_proto(ip_proto);
		uint16_t port = proto == ROW_PROTO_OTHER ? ip_proto : dport;
		uint32_t key = ROW_KEY(class, SIGNATURE_NONE, proto, port);
		uint32_t n = find_row(t, s, key);
		if (n == ROW_NONE && s->row_count >= ROWS_WITH_PORT_MAX)
			n = find_row(
			    t, s, folded(key, (enum packet_class) class));
		if (n != ROW_NONE)
			t->rows[n].flags |= ROW_ANSWERED;
	}
}
