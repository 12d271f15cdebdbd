/* SPDX-License-Identifier: ISC */
/* Contacts that are found again whatever was added, evicted and expired. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/base/hash.h"
#include "probes/sensor/contact-table.h"

struct lost {
	size_t count;
	unsigned states[8];
};

static void on_evicted(void *arg, const struct contact *c)
{
	struct lost *lost = arg;
	lost->count++;
	lost->states[c->state]++;
}

static struct contact_table *new_table(size_t bytes, struct lost *lost)
{
	return contact_table_new(&(struct contact_config){
	    .max_bytes = bytes, .evicted = on_evicted, .arg = lost });
}

static uint64_t hash_of(uint64_t n)
{
	return hash_mix(n, 20040509);
}

static struct contact *add(
    struct contact_table *t, uint64_t n, enum contact_state state, uint16_t at)
{
	struct contact *c = contact_add(t, hash_of(n), at);
	c->state = state & 7;
	c->owner = n & (CONTACT_OWNERS_MAX - 1);
	c->at_s = at;
	return c;
}

static void hardly_one_is_lost_while_it_grows(void **state)
{
	(void)state;
	struct lost lost = { 0 };
	struct contact_table *t = new_table((size_t)16 << 20, &lost);
	size_t found = 0;
	for (uint32_t n = 0; n < 200000; n++) {
		assert_null(contact_find(t, hash_of(n)));
		add(t, n, CONTACT_ASKED, 7);
	}
	for (uint32_t n = 0; n < 200000; n++) {
		const struct contact *c = contact_find(t, hash_of(n));
		assert_true(!c || c->owner == n);
		found += c != NULL;
	}
	assert_in_range(lost.count, 0, 60);
	assert_int_equal(found + lost.count, 200000);
	assert_int_equal(contact_table_stats(t).count, found);
	contact_table_free(t);
}

static void what_does_not_fit_is_reported(void **state)
{
	(void)state;
	struct lost lost = { 0 };
	struct contact_table *t = new_table((size_t)64 << 10, &lost);
	size_t found = 0;
	for (uint32_t n = 0; n < 50000; n++)
		add(t, n, n % 2 ? CONTACT_FAILED : CONTACT_ANSWERED,
		    (uint16_t)(n / 1000));
	struct contact_stats stats = contact_table_stats(t);
	for (uint32_t n = 0; n < 50000; n++)
		found += contact_find(t, hash_of(n)) != NULL;
	assert_int_equal(found, stats.count);
	assert_int_equal(found + lost.count, 50000);
	assert_int_equal(stats.evicted, lost.count);
	assert_true(stats.count <= stats.max_count);
	assert_int_equal(stats.max_count, (64 << 10) / 16);
	/* Evidence outlives what was answered. */
	assert_true(
	    lost.states[CONTACT_ANSWERED] >= 25000 - stats.max_count / 3);
	contact_table_free(t);
}

/* A gap that expiry leaves must not hide what lies behind it. */
static void expiry_forgets_the_old_and_only_these(void **state)
{
	(void)state;
	struct lost lost = { 0 };
	struct contact_table *t = new_table((size_t)8 << 10, &lost);
	for (uint32_t n = 0; n < 400; n++)
		add(t, n, n % 3 ? CONTACT_FAILED : CONTACT_UNASKED,
		    n % 4 ? 65000 : 100);
	size_t before = contact_table_stats(t).count;
	size_t evicted = lost.count;
	contact_expire(t, 200, 300); /* 65000 is 736 s ago */
	size_t left = 0;
	for (uint32_t n = 0; n < 400; n++) {
		const struct contact *c = contact_find(t, hash_of(n));
		assert_true(!c || (n % 4 == 0 && c->owner == n));
		left += c != NULL;
	}
	assert_int_equal(contact_table_stats(t).count, left);
	assert_true(lost.count > evicted);
	assert_true(before - left >= lost.count - evicted);
	assert_int_equal(lost.states[CONTACT_UNASKED], 0);
	contact_expire(t, 50, 0x7fff); /* stamps of 100 lie in the future */
	assert_int_equal(contact_table_stats(t).count, left);
	contact_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hardly_one_is_lost_while_it_grows),
		cmocka_unit_test(what_does_not_fit_is_reported),
		cmocka_unit_test(expiry_forgets_the_old_and_only_these),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
