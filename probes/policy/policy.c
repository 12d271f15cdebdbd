/* SPDX-License-Identifier: ISC */
/*
 * The verdict: first where the packet may end, then what it is, then whether
 * it may go now.  Each part reads only its arguments; the buckets are the one
 * thing that remembers.
 */
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "probes/policy/rate-limit.h"
#include "probes/policy/policy.h"
#include "lib/packet/packet.h"

/* Addresses that are alike but for their last bits are often asked together:
 * one entry has a bit for each of them. */
#define BLOCK_BITS 6
struct target_block {
	uint64_t hash; /* of the first address in it */
	uint64_t has;  /* 0: no block is here */
};

/* A set of addresses, by hashes of their blocks: two blocks share one by
 * chance only, and then one target too many is let through. */
struct policy_run {
	struct bucket bucket;
	struct target_block *blocks; /* open addressing; owned */
	size_t room, block_count, count;
};

struct policy_state {
	struct bucket agent[POLICY_WHOS];
	struct limit_table prefixes;
};

static const char *const reason_names[POLICY_VERDICTS] = {
	[POLICY_ALLOW] = "allowed",
	[POLICY_DENY_FAMILY] = "no-address",
	[POLICY_DENY_SPECIAL] = "special-purpose",
	[POLICY_DENY_PRIVATE] = "private",
	[POLICY_DENY_MULTICAST] = "multicast",
	[POLICY_DENY_BROADCAST] = "broadcast",
	[POLICY_DENY_OWN] = "own-address",
	[POLICY_DENY_LIST] = "deny-list",
	[POLICY_DENY_EMBEDDED] = "embedded-address",
	[POLICY_DENY_PROTOCOL] = "protocol",
	[POLICY_DENY_FIELD] = "field",
	[POLICY_DENY_PAYLOAD] = "payload",
	[POLICY_DENY_SIZE] = "size",
	[POLICY_DENY_TARGETS] = "targets",
	[POLICY_DEFER] = "rate",
	[POLICY_DENY_RATE] = "rate-budget",
};

const char *policy_reason_name(enum policy_verdict verdict)
{
	if ((unsigned)verdict >= POLICY_VERDICTS)
		return "unknown";
	return reason_names[verdict];
}

void policy_refusal_names(const char *names[static POLICY_VERDICTS])
{
	for (int i = 0; i < POLICY_VERDICTS; i++)
		names[i] = i == POLICY_ALLOW || i == POLICY_DEFER
		    ? NULL
		    : policy_reason_name((enum policy_verdict)i);
}

static bool is_on_deny_list(const struct policy *policy, const struct addr *a)
{
	/* The last prefix that does not start after a. */
	size_t low = 0, high = policy->deny_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (addr_cmp(&policy->deny[middle].addr, a) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && prefix_has(&policy->deny[low - 1], a);
}

static enum policy_verdict check_place(
    const struct policy *policy, enum policy_who who, const struct addr *a)
{
	const struct policy_class *class = &policy->classes[who];
	switch (special_of(a)) {
	case SPECIAL_NEVER: return POLICY_DENY_SPECIAL;
	case SPECIAL_MULTICAST: return POLICY_DENY_MULTICAST;
	case SPECIAL_BROADCAST: return POLICY_DENY_BROADCAST;
	case SPECIAL_MAPPED: return POLICY_DENY_EMBEDDED;
	case SPECIAL_LOOPBACK:
		if (!class->allow_loopback)
			return POLICY_DENY_SPECIAL;
		break;
	case SPECIAL_PRIVATE:
		if (!class->allow_private)
			return POLICY_DENY_PRIVATE;
		break;
	case SPECIAL_OTHER:
		if (!class->allow_special)
			return POLICY_DENY_SPECIAL;
		break;
	case SPECIAL_NONE: break;
	}
	if (class->obey_deny_list && is_on_deny_list(policy, a))
		return POLICY_DENY_LIST;
	return POLICY_ALLOW;
}

size_t policy_places(
    const struct addr *dst, struct addr places[static POLICY_PLACES])
{
	places[0] = *dst;
	return 1 + special_embedded(dst, places + 1);
}

enum policy_verdict policy_check_address(const struct policy *policy,
    enum policy_who who, const struct addr *dst, bool own, bool broadcast)
{
	if (dst->family != 4 && dst->family != 6)
		return POLICY_DENY_FAMILY;
	struct addr places[POLICY_PLACES];
	size_t count = policy_places(dst, places);
	enum policy_verdict verdict = check_place(policy, who, dst);
	for (size_t i = 1; i < count && verdict == POLICY_ALLOW; i++)
		if (check_place(policy, who, &places[i]) != POLICY_ALLOW)
			verdict = POLICY_DENY_EMBEDDED;
	if (broadcast && verdict != POLICY_DENY_MULTICAST)
		verdict = POLICY_DENY_BROADCAST;
	if (own && verdict == POLICY_ALLOW && !policy->classes[who].allow_own)
		verdict = POLICY_DENY_OWN;
	return verdict;
}

/* A chosen checksum's two octets are the guardian's.  An echo asks for nothing,
 * so it may say whose it is. */
static bool is_silent(const struct probe *probe)
{
	size_t first = probe->proto == PACKET_ICMP ? POLICY_MARK_BYTES
	    : probe->fix_checksum                  ? 2
						   : 0;
	for (size_t i = first; probe->payload && i < probe->payload_len; i++)
		if (probe->payload[i] != 0)
			return false;
	return true;
}

/* SYN alone and ACK alone; of a conversation, what carries, ends and resets it
 * too. */
static bool are_flags_plain(const struct probe *probe)
{
	uint8_t flags = probe->tcp_flags;
	if (flags == PACKET_TCP_SYN || flags == PACKET_TCP_ACK)
		return true;
	uint8_t ends = flags & (uint8_t) ~(PACKET_TCP_PSH | PACKET_TCP_FIN);
	return probe->hold &&
	    (ends == PACKET_TCP_ACK || flags == PACKET_TCP_RST ||
		flags == (PACKET_TCP_RST | PACKET_TCP_ACK));
}

static bool are_fields_sane(
    const struct policy_class *class, const struct probe *probe)
{
	if (probe->ttl == 0 || probe->flow_label > 0xfffff)
		return false;
	if (probe->proto == PACKET_ICMP)
		return true;
	if (probe->sport == 0 || probe->dport == 0 ||
	    (probe->hold && !class->allow_tcp_hold))
		return false;
	return probe->proto != PACKET_TCP || class->allow_tcp_flags ||
	    are_flags_plain(probe);
}

enum policy_verdict policy_check_fields(
    const struct policy *policy, enum policy_who who, const struct probe *probe)
{
	const struct policy_class *class = &policy->classes[who];
	if (probe->proto != PACKET_ICMP && probe->proto != PACKET_UDP &&
	    probe->proto != PACKET_TCP)
		return POLICY_DENY_PROTOCOL;
	if (!are_fields_sane(class, probe))
		return POLICY_DENY_FIELD;
	if (!class->allow_payload && !is_silent(probe))
		return POLICY_DENY_PAYLOAD;
	if (probe->payload_len > PROBE_PAYLOAD_MAX ||
	    probe_size_bytes(probe) > class->max_size_bytes)
		return POLICY_DENY_SIZE;
	return probe_check(probe, NULL) == 0 ? POLICY_ALLOW : POLICY_DENY_FIELD;
}

/* Where the block is, or where it would be. */
static struct target_block *target_block_at(
    struct target_block *blocks, size_t room, uint64_t hash)
{
	size_t i = hash & (room - 1);
	while (blocks[i].has != 0 && blocks[i].hash != hash)
		i = (i + 1) & (room - 1);
	return &blocks[i];
}

static void blocks_grow(struct policy_run *run)
{
	size_t room = run->room ? 2 * run->room : 16;
	struct target_block *blocks = xcalloc(room, sizeof(*blocks));
	for (size_t i = 0; i < run->room; i++)
		if (run->blocks[i].has != 0)
			*target_block_at(blocks, room, run->blocks[i].hash) =
			    run->blocks[i];
	free(run->blocks);
	run->blocks = blocks;
	run->room = room;
}

/* Is the address one of the run's targets, or may it become one? */
static bool targets_admit(
    struct policy_run *run, const struct addr *target, uint64_t key, size_t max)
{
	struct addr first = *target;
	uint8_t *last = &first.bytes[addr_len(target) - 1];
	uint64_t bit = UINT64_C(1) << (*last & ((1u << BLOCK_BITS) - 1));
	*last = (uint8_t)(*last >> BLOCK_BITS << BLOCK_BITS);
	uint64_t hash = addr_hash(&first, key);
	if (run->block_count * 4 >= run->room * 3)
		blocks_grow(run);
	struct target_block *block =
	    target_block_at(run->blocks, run->room, hash);
	if (block->has & bit)
		return true;
	if (run->count >= max)
		return false;
	run->block_count += block->has == 0;
	run->count++;
	block->hash = hash;
	block->has |= bit;
	return true;
}

struct policy_run *policy_run_new(void)
{
	return xcalloc(1, sizeof(struct policy_run));
}

void policy_run_free(struct policy_run *run)
{
	if (run)
		free(run->blocks);
	free(run);
}

struct policy_state *policy_state_new(uint64_t key)
{
	struct policy_state *state = xcalloc(1, sizeof(*state));
	state->prefixes.key = key;
	return state;
}

void policy_state_free(struct policy_state *state)
{
	free(state);
}

void policy_release(struct policy_hold *hold)
{
	if (hold->bucket)
		hold->bucket->waiting--;
	hold->bucket = NULL;
}

enum { LIMITS = 3 };

static bool limits_of(struct limit limits[LIMITS], const struct policy *policy,
    struct policy_state *state, const struct policy_request *request,
    int64_t *retry)
{
	const struct policy_class *class = &policy->classes[request->who];
	struct bucket *prefix = limit_table_find(&state->prefixes, request->who,
	    &request->probe->dst, request->now.ns, retry);
	if (!prefix)
		return false;
	limits[0] = (struct limit){ &request->run->bucket, class->run_rate_pps,
		class->run_burst };
	limits[1] = (struct limit){ prefix, class->prefix_rate_pps,
		class->prefix_burst };
	limits[2] = (struct limit){ &state->agent[request->who],
		class->agent_rate_pps, class->agent_burst };
	return true;
}

/* The packet goes when the slowest of its buckets lets it, and waits for that
 * one alone; what it finds then decides again.  A probe that has waited
 * anywhere needs only tokens: else those who wait here and those who wait there
 * would let each other pass for ever. */
static enum policy_verdict check_rate(const struct policy *policy,
    struct policy_state *state, const struct policy_request *request,
    bool waited, struct monotime *not_before)
{
	struct limit limits[LIMITS];
	struct bucket *slowest = NULL;
	int64_t now = request->now.ns, latest = now;
	bool found = limits_of(limits, policy, state, request, &latest);
	for (int i = 0; i < LIMITS && found; i++) {
		int64_t ready = limit_ready(&limits[i], waited, now);
		if (ready > latest) {
			latest = ready;
			slowest = limits[i].bucket;
		}
	}
	if (latest <= now) {
		for (int i = 0; i < LIMITS; i++)
			limit_take(&limits[i], now);
		return POLICY_ALLOW;
	}
	if (latest == INT64_MAX ||
	    latest - request->due.ns > policy->max_defer_ns)
		return POLICY_DENY_RATE;
	if (slowest) {
		request->hold->bucket = slowest;
		slowest->waiting++;
	}
	not_before->ns = latest;
	return POLICY_DEFER;
}

enum policy_verdict policy_check(const struct policy *policy,
    struct policy_state *state, const struct policy_request *request,
    struct monotime *not_before)
{
	const struct probe *probe = request->probe;
	bool waited = request->hold->bucket != NULL;
	policy_release(request->hold);
	enum policy_verdict verdict = policy_check_address(policy, request->who,
	    &probe->dst, request->own, request->broadcast);
	if (verdict == POLICY_ALLOW)
		verdict = policy_check_fields(policy, request->who, probe);
	if (verdict != POLICY_ALLOW)
		return verdict;
	if (!targets_admit(request->run, &probe->dst, state->prefixes.key,
		policy->classes[request->who].max_targets))
		return POLICY_DENY_TARGETS;
	return check_rate(policy, state, request, waited, not_before);
}
