/* SPDX-License-Identifier: ISC */
/*
 * One packet's way: decode, read what it is, recognise a worm, say whether it
 * is of the monitored network, count.
 */
#include <sodium.h>
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "probes/sensor/prefetch.h"
#include "probes/sensor/detect/detectors.h"
#include "probes/sensor/sensor-engine.h"
#include "probes/sensor/local-hosts.h"

struct engine {
	struct engine_counts counts;
	struct table *table;
	struct prefetch *prefetch;
	struct payloads *payloads;
	struct local_hosts *local;           /* NULL: none */
	struct first_packets *first_packets; /* likewise */
};

struct engine *engine_new(const struct engine_config *config)
{
	struct engine *e = xcalloc(1, sizeof(*e));
	uint64_t key;
	if (sodium_init() < 0)
		BUG("libsodium cannot start");
	randombytes_buf(&key, sizeof(key));
	e->payloads =
	    payloads_new(config->max_payloads, config->max_payload_bytes, key);
	e->table = table_new(&(struct table_config){
	    .max_sources = config->max_sources,
	    .memory = config->memory,
	    .budget = config->budget,
	    .key = key,
	    .per_port = config->per_port,
	    .first_sights = config->first_sights,
	    .payloads = e->payloads,
	    .finding = config->finding,
	    .arg = config->arg,
	});
	e->prefetch = prefetch_new(e->table);
	if (config->first_packets)
		e->first_packets = first_packets_new(key);
	if (config->home_count > 0)
		e->local = local_hosts_new(config->homes, config->home_count);
	return e;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	prefetch_free(e->prefetch);
	table_free(e->table);
	payloads_free(e->payloads);
	local_hosts_free(e->local);
	first_packets_free(e->first_packets);
	free(e);
}

static void count_error(struct engine_counts *counts, int err)
{
	if (err == ERR_TRUNCATED)
		counts->truncated++;
	else if (err == ERR_MALFORMED)
		counts->malformed++;
	else
		counts->unsupported++;
}

void engine_packet(struct engine *e, int dlt, const void *bytes, size_t caplen,
    size_t wirelen, struct walltime at)
{
	struct table_entry *entry = prefetch_next(e->prefetch);
	struct packet *p = &entry->packet;
	e->counts.packets++;
	int err = packet_decode_link(p, dlt, bytes, caplen, wirelen);
	if (err != 0) {
		count_error(&e->counts, err);
		e->counts.reasons[p->reason]++;
		return;
	}
	e->counts.decoded++;
	e->counts.fragments += p->fragment;
	e->counts.cut += p->payload_len < p->payload_wire_len;
	e->counts.damaged += p->ip_damaged;
	if (p->ip_damaged) /* its addresses may be, too */
		return;
	entry->at = at;
	detect_packet(p, &entry->reading);
	entry->from_home = e->local && local_hosts_has(e->local, &p->src);
	entry->to_home = e->local && local_hosts_has(e->local, &p->dst);
	e->counts.undecided += entry->reading.match.undecided;
	if (e->first_packets && !entry->from_home)
		first_packets_offer(
		    e->first_packets, p, entry->reading.match.worm, at);
	prefetch_put(e->prefetch);
}

void engine_settle(struct engine *e)
{
	prefetch_settle(e->prefetch);
}

void engine_flush(struct engine *e)
{
	prefetch_settle(e->prefetch);
	table_flush(e->table);
}

bool engine_flush_some(struct engine *e, uint32_t sources)
{
	prefetch_settle(e->prefetch);
	return table_flush_some(e->table, sources);
}

void engine_expire(struct engine *e, struct walltime before)
{
	table_expire(e->table, before);
}

const struct engine_counts *engine_counts(struct engine *e)
{
	e->counts.home = prefetch_count(e->prefetch, TABLE_HOME);
	e->counts.replies = prefetch_count(e->prefetch, TABLE_REPLY);
	return &e->counts;
}

struct table_stats engine_table_stats(const struct engine *e)
{
	return table_stats(e->table);
}

struct payloads *engine_payloads(struct engine *e)
{
	return e->payloads;
}

struct first_packets *engine_first_packets(struct engine *e)
{
	return e->first_packets;
}
