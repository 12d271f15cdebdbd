/* SPDX-License-Identifier: ISC */
/* What is made once, what is made again, what is let go. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "web/api/body-cache.h"

static atomic_int made;
static const struct monotime start = { 1000 * NS_PER_S };

/* arg: how many bytes that do not compress, from the counter's state on. */
static struct packed_body *make_noise(void *arg)
{
	size_t len = *(const size_t *)arg;
	struct buf text = { 0 };
	uint64_t x = (uint64_t)++made * UINT64_C(0x9e3779b97f4a7c15) + 1;
	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		buf_u8(&text, (uint8_t)x);
	}
	return packed_body_new(&text, "text/plain");
}

static struct packed_body *make_nothing(void *arg)
{
	(void)arg;
	made++;
	return NULL;
}

static struct packed_body *get(struct body_cache *cache, const char *key,
    uint64_t revision, int64_t after_ns, size_t len)
{
	uint8_t bytes[BODY_KEY_LEN] = { 0 };
	memcpy(bytes, key, strlen(key));
	return body_cache_get(cache, bytes, revision,
	    (struct monotime){ start.ns + after_ns }, make_noise, &len);
}

/* Gets it and says whether it had to be made. */
static bool is_made(struct body_cache *cache, const char *key,
    uint64_t revision, int64_t after_ns, size_t len)
{
	int before = made;
	struct packed_body *body = get(cache, key, revision, after_ns, len);
	assert_non_null(body);
	packed_body_unref(body);
	return made != before;
}

static void a_revision_is_made_once(void **state)
{
	struct body_cache *cache = body_cache_new(4, 1 << 20);
	(void)state;
	assert_true(is_made(cache, "a", 1, 0, 100));
	assert_false(is_made(cache, "a", 1, 0, 100));
	assert_false(is_made(cache, "a", 1, 3600 * NS_PER_S, 100));
	assert_true(is_made(cache, "b", 1, 0, 100));
	/* Of another revision, but young. */
	assert_false(is_made(cache, "b", 2, NS_PER_S / 2, 100));
	assert_true(is_made(cache, "b", 2, NS_PER_S, 100));
	assert_true(is_made(cache, "a", 2, 3600 * NS_PER_S, 100));
	body_cache_free(cache);
}

static void memory_is_bounded_by_number_and_bytes(void **state)
{
	struct body_cache_stats stats;
	struct body_cache *cache = body_cache_new(3, 4000);
	(void)state;
	is_made(cache, "a", 1, 0, 100);
	is_made(cache, "b", 1, 0, 100);
	is_made(cache, "c", 1, 0, 100);
	assert_false(is_made(cache, "a", 1, 0, 100));
	is_made(cache, "d", 1, 0, 100); /* b was used longest ago */
	assert_false(is_made(cache, "a", 1, 0, 100));
	assert_true(is_made(cache, "b", 1, 0, 100));
	is_made(cache, "e", 1, 0, 3000);
	body_cache_stats(cache, &stats);
	assert_true(stats.bytes <= 4000 && stats.bodies >= 1);
	assert_false(is_made(cache, "e", 1, 0, 3000));
	/* What alone is too much is given out and not kept. */
	assert_true(is_made(cache, "f", 1, 0, 5000));
	assert_true(is_made(cache, "f", 1, 0, 5000));
	body_cache_stats(cache, &stats);
	assert_true(stats.bytes <= 4000);
	body_cache_free(cache);
}

static void a_body_lives_as_long_as_its_reader(void **state)
{
	struct body_cache *cache = body_cache_new(1, 1 << 20);
	size_t len;
	(void)state;
	struct packed_body *body = get(cache, "a", 1, 0, 100);
	is_made(cache, "b", 1, 0, 100);
	body_cache_free(cache);
	assert_non_null(packed_body_data(body, &len));
	assert_true(len > 100);
	packed_body_unref(body);
}

static void what_cannot_be_made_is_tried_again(void **state)
{
	struct body_cache *cache = body_cache_new(2, 1 << 20);
	const uint8_t key[BODY_KEY_LEN] = "a";
	(void)state;
	made = 0;
	for (int i = 0; i < 2; i++)
		assert_null(
		    body_cache_get(cache, key, 1, start, make_nothing, NULL));
	assert_int_equal(made, 2);
	assert_true(is_made(cache, "a", 1, 0, 10));
	body_cache_free(cache);
}

enum { ASKERS = 8, ROUNDS = 200 };

static void *ask(void *arg)
{
	static const char *const keys[] = { "a", "b", "c" };
	for (int i = 0; i < ROUNDS; i++) {
		struct packed_body *body = get(arg, keys[i % 3],
		    (uint64_t)(i / 50), (i / 50) * 10 * NS_PER_S, 2000);
		size_t len;
		assert_non_null(packed_body_data(body, &len));
		packed_body_unref(body);
	}
	return NULL;
}

static void askers_of_one_key_share_one_body(void **state)
{
	struct body_cache *cache = body_cache_new(2, 1 << 20);
	struct body_cache_stats stats;
	pthread_t threads[ASKERS];
	(void)state;
	for (int i = 0; i < ASKERS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, ask, cache), 0);
	for (int i = 0; i < ASKERS; i++)
		pthread_join(threads[i], NULL);
	body_cache_stats(cache, &stats);
	assert_int_equal(stats.hits + stats.made, ASKERS * ROUNDS);
	assert_true(stats.bodies <= 2);
	body_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_revision_is_made_once),
		cmocka_unit_test(memory_is_bounded_by_number_and_bytes),
		cmocka_unit_test(a_body_lives_as_long_as_its_reader),
		cmocka_unit_test(what_cannot_be_made_is_tried_again),
		cmocka_unit_test(askers_of_one_key_share_one_body),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
