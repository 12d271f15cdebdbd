/* SPDX-License-Identifier: ISC */
/* Five chained hash tables over the same entries. */
#include "probes/packet/match-table.h"

#include <stdlib.h>

#include "lib/base/xalloc.h"

#define HEADS ((size_t)1 << MATCH_HEADS_BITS)
/* Of a chain; beyond it are more probes alike than answers can tell apart. */
#define WALK_MOST 4096

struct match_table {
	uint64_t key;
	uint32_t ids_given;
	struct match_entry *heads[MATCH_KEYS][HEADS];
};

struct match_table *match_table_new(uint64_t key)
{
	struct match_table *table = xcalloc(1, sizeof(*table));
	table->key = key;
	return table;
}

void match_table_free(struct match_table *table)
{
	free(table);
}

/* What is in a chain together, apart from the target. */
static uint64_t tail(const struct match_flow *flow, uint64_t number)
{
	return (uint64_t)flow->sport << 48 ^ (uint64_t)flow->dport << 32 ^
	    number ^ (uint64_t)flow->proto << 40;
}

static uint64_t hash_of(const struct match_table *table, enum match_key key,
    const struct match_flow *flow, uint64_t number)
{
	const struct addr nowhere = { .family = flow->dst.family };
	bool anywhere = key == MATCH_BY_ANSWER_ANYWHERE;
	struct match_flow shown = *flow;
	if (anywhere || key == MATCH_BY_ID)
		shown.dport = 0;
	if (key == MATCH_BY_TARGET || key == MATCH_BY_ID)
		shown.sport = 0;
	uint64_t words = tail(&shown, key == MATCH_BY_TARGET ? 0 : number);
	return addr_hash(anywhere ? &nowhere : &flow->dst,
		   table->key ^ words ^ (uint64_t)key << 60) %
	    HEADS;
}

/* The number that an answer of the target shows of this probe.  What answers a
 * bare acknowledgement is a reset, which begins where that ended; what answers
 * data acknowledges it. */
static uint64_t shown_of_sent(const struct match_sent *sent)
{
	uint32_t syn = (sent->tcp_flags & PACKET_TCP_SYN) != 0;
	uint32_t fin = (sent->tcp_flags & PACKET_TCP_FIN) != 0;
	if (sent->flow.proto == PACKET_ICMP)
		return sent->tag;
	if (sent->flow.proto != PACKET_TCP)
		return 0;
	return sent->tcp_flags & PACKET_TCP_ACK && sent->len == 0
	    ? sent->tcp_ack
	    : sent->tag + syn + sent->len + fin;
}

/* The number that an answer to the quoted probe would show; of TCP, to a SYN
 * without data. */
static uint64_t shown_by_quote(const struct match_answer *answer)
{
	if (answer->flow.proto == PACKET_TCP)
		return (uint64_t)answer->tag + 1;
	return answer->flow.proto == PACKET_ICMP ? answer->tag : 0;
}

static uint64_t shown_by_answer(const struct match_answer *answer)
{
	if (answer->flow.proto == PACKET_ICMP)
		return answer->tag;
	if (answer->flow.proto != PACKET_TCP)
		return 0;
	return answer->tcp_flags & PACKET_TCP_ACK ? answer->tag
						  : answer->tcp_seq;
}

void match_table_fetch(struct match_table *table, struct match_entry *entry)
{
	const struct match_sent *sent = &entry->sent;
	uint64_t shown = shown_of_sent(sent);
	entry->told = false;
	for (int key = 0; key < MATCH_KEYS; key++) {
		uint64_t number = key == MATCH_BY_QUOTE ? sent->tag
		    : key == MATCH_BY_ID                ? sent->ip_id
							: shown;
		struct match_entry **head =
		    &table
			 ->heads[key][hash_of(table, key, &sent->flow, number)];
		entry->in[key].link = head;
		__builtin_prefetch(head, 1);
	}
}

void match_table_add(struct match_entry *entry)
{
	for (int key = 0; key < MATCH_KEYS; key++) {
		struct match_chain *in = &entry->in[key];
		struct match_entry **head = in->link;
		in->next = *head;
		if (in->next)
			in->next->in[key].link = &in->next;
		*head = entry;
	}
}

void match_table_remove(struct match_entry *entry)
{
	for (int key = 0; key < MATCH_KEYS; key++) {
		struct match_chain *in = &entry->in[key];
		*in->link = in->next;
		if (in->next)
			in->next->in[key].link = in->link;
	}
}

/* Entries that were told of an ambiguous answer are known to be alike; more
 * of the same makes nothing clearer, and they may be many. */
static void found_add(struct match_found *found, struct match_entry *entry,
    size_t *alike, const void **owner)
{
	found->shared |= *alike > 0 && entry->owner != *owner;
	*owner = entry->owner;
	if (++*alike > 1) {
		found->ambiguous = true;
		if (found->count == 1 && found->entries[0]->told)
			found->count = 0;
		if (entry->told)
			return;
	}
	if (found->count < MATCH_MOST)
		found->entries[found->count++] = entry;
}

static enum match_fit fit_of(enum match_key key,
    const struct match_answer *answer, const struct match_sent *sent)
{
	if (key != MATCH_BY_ANSWER_ANYWHERE)
		return match_fit(answer, sent);
	return answer->quoted ? match_fit_translated(answer, sent)
			      : match_fit_elsewhere(answer, sent);
}

/* Of a chain, the entries that fit best, better than `found` does so far. */
static void walk(struct match_table *table, enum match_key key,
    const struct match_answer *answer, uint64_t number,
    struct match_found *found)
{
	struct match_entry *entry =
	    table->heads[key][hash_of(table, key, &answer->flow, number)];
	size_t alike = 0;
	bool better = false; /* what fits as well as before was found before */
	const void *owner = NULL;
	for (int i = 0; entry && i < WALK_MOST; i++) {
		enum match_fit fit = fit_of(key, answer, &entry->sent);
		if (fit > found->fit) {
			*found = (struct match_found){ .fit = fit };
			alike = 0;
			better = true;
		}
		if (better && fit == found->fit && fit >= MATCH_WEAK)
			found_add(found, entry, &alike, &owner);
		entry = entry->in[key].next;
	}
}

void match_table_find(struct match_table *table,
    const struct match_answer *answer, struct match_found *found)
{
	*found = (struct match_found){ .fit = MATCH_OTHER };
	if (!answer->has_ports) {
		walk(table, MATCH_BY_ID, answer, answer->ip_id, found);
		return;
	}
	if (answer->quoted) {
		walk(table, MATCH_BY_QUOTE, answer, answer->tag, found);
		if (found->fit < MATCH_FITS)
			walk(table, MATCH_BY_TARGET, answer, 0, found);
		if (found->fit < MATCH_WEAK)
			walk(table, MATCH_BY_ANSWER_ANYWHERE, answer,
			    shown_by_quote(answer), found);
		return;
	}
	uint64_t shown = shown_by_answer(answer);
	walk(table, MATCH_BY_ANSWER, answer, shown, found);
	if (found->fit == MATCH_OTHER)
		walk(table, MATCH_BY_TARGET, answer, 0, found);
	if (found->fit != MATCH_OTHER)
		return;
	walk(table, MATCH_BY_ANSWER_ANYWHERE, answer, shown, found);
	found->elsewhere = found->count > 0 &&
	    !addr_equal(&found->entries[0]->sent.flow.dst, &answer->from);
}

/* Counts through a permutation of 16 bits: four rounds of a Feistel network,
 * keyed, so that the next one cannot be told from the last. */
static uint16_t permute(uint16_t n, uint64_t key)
{
	uint8_t left = (uint8_t)(n >> 8), right = (uint8_t)n;
	for (int round = 0; round < 4; round++) {
		uint64_t mixed = (right + (key >> (16 * round) & 0xffff)) *
		    UINT64_C(0x9e3779b97f4a7c15);
		uint8_t next = (uint8_t)(left ^ (uint8_t)(mixed >> 56));
		left = right;
		right = next;
	}
	return (uint16_t)(left << 8 | right);
}

uint16_t match_table_next_ip_id(struct match_table *table)
{
	uint16_t id;
	do
		id = permute((uint16_t)++table->ids_given, table->key);
	while (id == 0);
	return id;
}
