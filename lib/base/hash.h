/* SPDX-License-Identifier: ISC */
/*
 * Hashes for tables and draws.  None is cryptographic: who sees results can
 * make collisions.  Where hostile input fills a table, a secret key
 * goes in (addr_hash), or libsodium's SipHash is taken (hash-index.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* 2^64 and 2^32 divided by the golden ratio, odd: consecutive numbers times
 * this spread over the upper bits (Knuth, TAOCP 3, 6.4). */
#define HASH_GOLDEN UINT64_C(0x9e3779b97f4a7c15)
#define HASH_GOLDEN_32 UINT32_C(0x9e3779b1)

/* FNV-1a, 64 bits: octet by octet, for short keys. */
#define HASH_FNV_START UINT64_C(0xcbf29ce484222325)
static inline uint64_t hash_fnv(uint64_t h, const void *data, size_t len)
{
	const uint8_t *bytes = (const uint8_t *)data;
	for (size_t i = 0; i < len; i++)
		h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
	return h;
}
static inline uint64_t hash_fnv_text(uint64_t h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	return h;
}

/* Every bit of h changes half of the result's (the constant is
 * Degski's). */
static inline uint64_t hash_finish(uint64_t h)
{
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	return h ^ h >> 32;
}

/* Two numbers to one, for draws that must be the same every time: the step and
 * the finish of SplitMix64 (Steele, Lea and Flood, 2014). */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
	uint64_t x = a * HASH_GOLDEN + b + UINT64_C(0x632be59bd9b4e019);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Both halves of the product, for long keys sixteen octets at a time. */
static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
	__uint128_t product = (__uint128_t)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}
