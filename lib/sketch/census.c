/* SPDX-License-Identifier: ISC */
/*
 * Registers (lib/sketch/registers.h) are kept as what they are above the least
 * of them: of n values the least is near log2(n / 128), and one in 2^15 would
 * be more than 15 above it (Xiao and others, "HLL-TailCut", 2017).
 */
#include "lib/sketch/census.h"

#include <string.h>

#include "lib/sketch/registers.h"

#define CENSUS_REGISTERS 128
#define CENSUS_BITS 7
#define CENSUS_FORM 128 /* registers, and not a list */
#define VALUE_LEN 3
#define ABOVE_MOST 15
#define RANK_MOST 32

static bool is_list(const struct census *s)
{
	return s->bytes[0] < CENSUS_FORM;
}

static uint32_t value_at(const struct census *s, size_t i)
{
	const uint8_t *p = s->bytes + 1 + i * VALUE_LEN;
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8;
}

static void read_ranks(
    const struct census *s, uint8_t ranks[static CENSUS_REGISTERS])
{
	memset(ranks, 0, CENSUS_REGISTERS);
	if (is_list(s)) {
		for (size_t i = 0; i < s->bytes[0]; i++)
			registers_put(ranks, CENSUS_BITS, value_at(s, i));
		return;
	}
	uint8_t base = s->bytes[0] - CENSUS_FORM;
	for (size_t i = 0; i < CENSUS_REGISTERS; i++) {
		uint8_t pair = s->bytes[1 + i / 2];
		ranks[i] = (uint8_t)(base + (i % 2 ? pair & 15 : pair >> 4));
	}
}

static void write_ranks(
    struct census *s, const uint8_t ranks[static CENSUS_REGISTERS])
{
	uint8_t base = UINT8_MAX;
	for (size_t i = 0; i < CENSUS_REGISTERS; i++)
		if (ranks[i] < base)
			base = ranks[i];
	memset(s->bytes, 0, sizeof(s->bytes));
	s->bytes[0] = (uint8_t)(CENSUS_FORM + base);
	for (size_t i = 0; i < CENSUS_REGISTERS; i++) {
		unsigned above = (unsigned)(ranks[i] - base);
		above = above < ABOVE_MOST ? above : ABOVE_MOST;
		s->bytes[1 + i / 2] |= (uint8_t)(i % 2 ? above : above << 4);
	}
}

/* False: there are as many as a list holds. */
static bool put_in_list(struct census *s, uint32_t value)
{
	size_t at = 0, count = s->bytes[0];
	value &= ~UINT32_C(0xff);
	while (at < count && value_at(s, at) < value)
		at++;
	if (at < count && value_at(s, at) == value)
		return true;
	if (count == CENSUS_EXACT)
		return false;
	uint8_t *p = s->bytes + 1 + at * VALUE_LEN;
	memmove(p + VALUE_LEN, p, (count - at) * VALUE_LEN);
	p[0] = (uint8_t)(value >> 24);
	p[1] = (uint8_t)(value >> 16);
	p[2] = (uint8_t)(value >> 8);
	s->bytes[0]++;
	return true;
}

void census_add(struct census *s, uint32_t value)
{
	uint8_t ranks[CENSUS_REGISTERS];
	if (is_list(s) && put_in_list(s, value))
		return;
	read_ranks(s, ranks);
	registers_put(ranks, CENSUS_BITS, value);
	write_ranks(s, ranks);
}

void census_add_registers(
    struct census *s, const uint8_t *registers, unsigned bits)
{
	uint8_t ranks[CENSUS_REGISTERS];
	unsigned more = bits - CENSUS_BITS;
	read_ranks(s, ranks);
	for (uint32_t i = 0; i < UINT32_C(1) << bits; i++) {
		uint32_t low = i & ((UINT32_C(1) << more) - 1);
		uint8_t *at = &ranks[i >> more];
		if (registers[i] == 0)
			continue;
		/* The bits that chose among them come first now. */
		unsigned rank = low ? more - (unsigned)(31 - __builtin_clz(low))
				    : more + registers[i];
		if (*at < rank)
			*at = (uint8_t)rank;
	}
	write_ranks(s, ranks);
}

void census_join(struct census *s, const struct census *other)
{
	uint8_t ranks[CENSUS_REGISTERS], others[CENSUS_REGISTERS];
	if (is_list(other)) {
		for (size_t i = 0; i < other->bytes[0]; i++)
			census_add(s, value_at(other, i));
		return;
	}
	read_ranks(s, ranks);
	read_ranks(other, others);
	registers_join(ranks, others, CENSUS_REGISTERS);
	write_ranks(s, ranks);
}

uint32_t census_count(const struct census *s, enum distinct_quality *quality)
{
	uint8_t ranks[CENSUS_REGISTERS];
	*quality = DISTINCT_IS_EXACT;
	if (is_list(s))
		return s->bytes[0];
	*quality = DISTINCT_IS_ESTIMATE;
	read_ranks(s, ranks);
	double e = registers_estimate(ranks, CENSUS_REGISTERS);
	return e < UINT32_MAX ? (uint32_t)(e + 0.5) : UINT32_MAX;
}

size_t census_len(const struct census *s)
{
	if (!is_list(s))
		return CENSUS_MOST_BYTES;
	return s->bytes[0] ? 1 + (size_t)s->bytes[0] * VALUE_LEN : 0;
}

bool census_read(struct census *s, const uint8_t *bytes, size_t len)
{
	*s = (struct census){ { 0 } };
	if (len == 0)
		return true;
	if (len > CENSUS_MOST_BYTES)
		return false;
	memcpy(s->bytes, bytes, len);
	bool well = is_list(s) ? s->bytes[0] <= CENSUS_EXACT
			       : s->bytes[0] <= CENSUS_FORM + RANK_MOST;
	for (size_t i = 1; well && is_list(s) && i < s->bytes[0]; i++)
		well = value_at(s, i - 1) < value_at(s, i);
	if (well && census_len(s) == len)
		return true;
	*s = (struct census){ { 0 } };
	return false;
}
