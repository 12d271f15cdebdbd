/* SPDX-License-Identifier: ISC */
/*
 * The arena is an array of 64-octet lines.  A list takes 1 or 4 lines, the last
 * step 16, used twice: first as a hash set of 256 slots, then, when that is
 * three quarters full, as the registers of a HyperLogLog into which the set is
 * poured (lib/sketch/registers.h).  Each size has a free list;
 * a piece that was given back is used for its own size only.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/base/err.h"
#include "lib/base/hash.h"
#include "lib/base/xalloc.h"
#include "lib/sketch/registers.h"
#include "lib/sketch/slots.h"
#include "probes/sensor/target-set.h"

#define LINE_WORDS 16
#define SLOTS 256
#define REGISTERS 1024
#define REGISTER_BITS 10
#define NO_PIECE UINT32_MAX

/* What `count` is beyond TARGETS_INLINE; values[0] is the piece, values[1] how
 * many are in it. */
enum { IN_LIST_16 = 0x10000, IN_LIST_64, IN_SLOTS, IN_REGISTERS, SET_FULL };
enum { SIZES = 3 };

static const uint32_t piece_lines[SIZES] = { 1, 4, 16 };

struct target_arena {
	uint32_t (*lines)[LINE_WORDS];
	uint32_t made, max;
	uint32_t free[SIZES], used_lines;
};

struct target_arena *target_arena_new(size_t max_bytes)
{
	struct target_arena *a = xcalloc(1, sizeof(*a));
	a->max = (uint32_t)(max_bytes / sizeof(*a->lines));
	a->max = a->max < 16 ? 16 : a->max;
	for (int i = 0; i < SIZES; i++)
		a->free[i] = NO_PIECE;
	a->lines =
	    mmap(NULL, a->max * sizeof(*a->lines), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (a->lines == MAP_FAILED)
		BUG("no room for %u lines of targets", a->max);
	return a;
}

void target_arena_free(struct target_arena *a)
{
	if (!a)
		return;
	munmap(a->lines, a->max * sizeof(*a->lines));
	free(a);
}

size_t target_arena_used(const struct target_arena *a)
{
	return a->used_lines * sizeof(*a->lines);
}

static uint32_t take_piece(struct target_arena *a, int size)
{
	uint32_t n = a->free[size];
	if (n != NO_PIECE)
		a->free[size] = a->lines[n][0];
	else if (a->max - a->made >= piece_lines[size])
		n = a->made, a->made += piece_lines[size];
	else
		return NO_PIECE;
	a->used_lines += piece_lines[size];
	memset(a->lines[n], 0, piece_lines[size] * sizeof(*a->lines));
	return n;
}

static void give_piece(struct target_arena *a, uint32_t n, int size)
{
	a->lines[n][0] = a->free[size];
	a->free[size] = n;
	a->used_lines -= piece_lines[size];
}

static int size_of(const struct target_set *s)
{
	return s->count == IN_LIST_16 ? 0 : s->count == IN_LIST_64 ? 1 : 2;
}

static uint32_t list_room(const struct target_set *s)
{
	return piece_lines[size_of(s)] * LINE_WORDS;
}

/* Registers need every bit of a value to be as good as random. */
static uint32_t spread_bits(uint32_t stored)
{
	return (uint32_t)hash_finish(stored);
}

static void put_register(uint8_t *registers, uint32_t stored)
{
	registers_put(registers, REGISTER_BITS, spread_bits(stored));
}

static void pour_values(uint8_t *registers, const uint32_t *slots, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slots[i] != 0)
			put_register(registers, slots[i]);
}

static bool list_has(const uint32_t *values, uint32_t count, uint32_t value)
{
	bool found = false;
	for (uint32_t i = 0; i < count; i++)
		found |= values[i] == value;
	return found;
}

void target_set_fetch(
    const struct target_arena *a, const struct target_set *s, uint32_t value)
{
	if (s->count < IN_LIST_16 || s->count == SET_FULL)
		return;
	const uint32_t *words = a->lines[s->values[0]];
	if (s->count == IN_REGISTERS)
		__builtin_prefetch((const uint8_t *)words +
		    (spread_bits(value) >> (32 - REGISTER_BITS)));
	else
		__builtin_prefetch(
		    s->count == IN_SLOTS ? &words[value & (SLOTS - 1)] : words);
}

static void to_registers(struct target_arena *a, struct target_set *s)
{
	uint32_t slots[SLOTS];
	uint32_t *words = a->lines[s->values[0]];
	memcpy(slots, words, sizeof(slots));
	memset(words, 0, sizeof(slots));
	pour_values((uint8_t *)words, slots, SLOTS);
	s->count = IN_REGISTERS;
}

/* To a piece of this size; what it knows goes along.  False: there is none. */
static bool to_piece(struct target_arena *a, struct target_set *s,
    const uint32_t *values, uint32_t count, int size)
{
	uint32_t n = take_piece(a, size);
	if (n == NO_PIECE)
		return false;
	if (size < 2)
		memcpy(a->lines[n], values, count * sizeof(*values));
	else
		for (uint32_t i = 0; i < count; i++)
			slots_put(a->lines[n], SLOTS, values[i]);
	if (s->count > TARGETS_INLINE)
		give_piece(a, s->values[0], size_of(s));
	s->count = IN_LIST_16 + (uint32_t)size;
	s->values[0] = n;
	s->values[1] = count;
	s->values[2] = 0;
	return true;
}

static void add_to_piece(
    struct target_arena *a, struct target_set *s, uint32_t value)
{
	uint32_t *words = a->lines[s->values[0]];
	if (s->count == IN_REGISTERS) {
		put_register((uint8_t *)words, value ? value : 1);
	} else if (s->count == IN_SLOTS) {
		s->values[1] += slots_put(words, SLOTS, value);
		if (s->values[1] > TARGETS_EXACT)
			to_registers(a, s);
	} else if (list_has(words, s->values[1], value)) {
		return;
	} else if (s->values[1] < list_room(s)) {
		words[s->values[1]++] = value;
	} else if (to_piece(a, s, words, s->values[1], size_of(s) + 1)) {
		add_to_piece(a, s, value);
	} else {
		s->values[2] = 1; /* at least one more */
	}
}

void target_set_add_new(
    struct target_arena *a, struct target_set *s, uint32_t value)
{
	if (s->count == SET_FULL)
		return;
	if (s->count > TARGETS_INLINE) {
		add_to_piece(a, s, value);
		return;
	}
	if (list_has(s->values, s->count, value))
		return;
	if (s->count < TARGETS_INLINE) {
		s->values[s->count++] = value;
		return;
	}
	uint32_t known[TARGETS_INLINE];
	memcpy(known, s->values, sizeof(known));
	if (to_piece(a, s, known, TARGETS_INLINE, 0))
		add_to_piece(a, s, value);
	else
		s->count = SET_FULL;
}

void target_set_clear(struct target_arena *a, struct target_set *s)
{
	if (s->count >= IN_LIST_16 && s->count != SET_FULL)
		give_piece(a, s->values[0], size_of(s));
	s->count = 0;
}

static uint32_t estimate_registers(const uint8_t *registers)
{
	return (uint32_t)(registers_estimate(registers, REGISTERS) + 0.5);
}

/* Of one set. */
static uint32_t count_of(const struct target_arena *a,
    const struct target_set *s, enum distinct_quality *quality)
{
	*quality = DISTINCT_IS_EXACT;
	if (s->count <= TARGETS_INLINE)
		return s->count;
	if (s->count == SET_FULL) {
		*quality = DISTINCT_IS_AT_LEAST;
		return TARGETS_INLINE + 1;
	}
	if (s->count == IN_REGISTERS) {
		*quality = DISTINCT_IS_ESTIMATE;
		return estimate_registers(
		    (const uint8_t *)a->lines[s->values[0]]);
	}
	if (s->count != IN_SLOTS && s->values[2] > 0)
		*quality = DISTINCT_IS_AT_LEAST;
	return s->values[1] + s->values[2];
}

#define UNION_SLOTS (TARGET_UNION_MAX * SLOTS)

struct target_sum {
	uint32_t slots[UNION_SLOTS];
	uint8_t registers[REGISTERS];
	uint32_t exact;
	bool estimated, at_least;
};

/* The words that hold a set's values, and how many: IN_SLOTS, all its slots. */
static const uint32_t *values_of(
    const struct target_set *s, const struct target_arena *a, uint32_t *count)
{
	*count = s->count == SET_FULL    ? TARGETS_INLINE
	    : s->count <= TARGETS_INLINE ? s->count
	    : s->count == IN_SLOTS       ? SLOTS
					 : s->values[1];
	return s->count >= IN_LIST_16 && s->count != SET_FULL
	    ? a->lines[s->values[0]]
	    : s->values;
}

static void sum_add(struct target_sum *sum, const struct target_arena *a,
    const struct target_set *s)
{
	uint32_t count;
	const uint32_t *words = values_of(s, a, &count);
	if (s->count == IN_REGISTERS) {
		registers_join(
		    sum->registers, (const uint8_t *)words, REGISTERS);
		sum->estimated = true;
		return;
	}
	sum->at_least |= s->count == SET_FULL ||
	    ((s->count == IN_LIST_16 || s->count == IN_LIST_64) &&
		s->values[2] > 0);
	for (uint32_t i = 0; i < count; i++)
		if (s->count != IN_SLOTS || words[i] != 0)
			sum->exact +=
			    slots_put(sum->slots, UNION_SLOTS, words[i]);
}

static bool all_in_place(const struct target_set *const *sets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (sets[i]->count > TARGETS_INLINE)
			return false;
	return true;
}

static uint32_t count_in_place(
    const struct target_set *const *sets, size_t set_count)
{
	uint32_t known[TARGET_UNION_MAX * TARGETS_INLINE], count = 0;
	for (size_t i = 0; i < set_count; i++)
		for (uint32_t n = 0; n < sets[i]->count; n++)
			if (!list_has(known, count, sets[i]->values[n]))
				known[count++] = sets[i]->values[n];
	return count;
}

uint32_t target_set_union(const struct target_arena *a,
    const struct target_set *const *sets, size_t set_count,
    enum distinct_quality *quality)
{
	if (set_count == 1)
		return count_of(a, sets[0], quality);
	if (set_count > TARGET_UNION_MAX)
		BUG("targets: a union of %zu sets", set_count);
	*quality = DISTINCT_IS_EXACT;
	if (all_in_place(sets, set_count))
		return count_in_place(sets, set_count);
	struct target_sum *sum = xcalloc(1, sizeof(*sum));
	for (size_t i = 0; i < set_count; i++)
		sum_add(sum, a, sets[i]);
	uint32_t count = sum->exact;
	if (sum->estimated) {
		pour_values(sum->registers, sum->slots, UNION_SLOTS);
		count = estimate_registers(sum->registers);
		*quality = DISTINCT_IS_ESTIMATE;
	}
	if (sum->at_least) {
		count += sum->estimated ? 0 : 1;
		*quality = DISTINCT_IS_AT_LEAST;
	}
	free(sum);
	return count;
}

void target_set_census(const struct target_arena *a,
    const struct target_set *const *sets, size_t set_count,
    struct census *census)
{
	for (size_t i = 0; i < set_count; i++) {
		const struct target_set *s = sets[i];
		uint32_t count;
		const uint32_t *words = values_of(s, a, &count);
		if (s->count == IN_REGISTERS) {
			census_add_registers(
			    census, (const uint8_t *)words, REGISTER_BITS);
			continue;
		}
		for (uint32_t n = 0; n < count; n++)
			if (s->count != IN_SLOTS || words[n] != 0)
				census_add(census, spread_bits(words[n]));
	}
}
