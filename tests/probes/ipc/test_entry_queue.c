/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "probes/ipc/entry-queue.h"

struct entry {
	uint64_t number;
	uint32_t len;
};

static void add(struct entry_queue *q, uint64_t number, const char *octets)
{
	struct entry *entry = entry_queue_add(q);
	entry->number = number;
	if (*octets)
		entry_queue_octets(q, octets, strlen(octets));
}

/* What was put in comes out in order, whatever fits into each message. */
static void entries_come_in_order_with_their_octets(void **state)
{
	(void)state;
	struct entry_queue q = { .entry_size = sizeof(struct entry),
		.len_at = offsetof(struct entry, len) };
	struct entry got[2];
	uint8_t to[2 * sizeof(struct entry) + 5];
	size_t count;
	assert_int_equal(entry_queue_count(&q), 0);
	add(&q, 1, "ab");
	add(&q, 2, "");
	add(&q, 3, "xyz123");
	assert_int_equal(entry_queue_count(&q), 3);
	assert_int_equal(entry_queue_octets_len(&q), 8);
	size_t len = entry_queue_take(&q, to, sizeof(to), 64, &count);
	assert_int_equal(count, 2);
	assert_int_equal(len, sizeof(got) + 2);
	memcpy(got, to, sizeof(got));
	assert_int_equal(got[0].number, 1);
	assert_int_equal(got[0].len, 2);
	assert_int_equal(got[1].number, 2);
	assert_int_equal(got[1].len, 0);
	assert_memory_equal(to + sizeof(got), "ab", 2);
	add(&q, 4, "q");
	len = entry_queue_take(&q, to, sizeof(to), 1, &count);
	assert_int_equal(count, 1);
	assert_int_equal(len, sizeof(got[0]) + 6);
	assert_memory_equal(to + sizeof(got[0]), "xyz123", 6);
	len = entry_queue_take(&q, to, sizeof(to), 1, &count);
	assert_int_equal(count, 1);
	assert_memory_equal(to + sizeof(got[0]), "q", 1);
	assert_int_equal(entry_queue_count(&q), 0);
	assert_int_equal(entry_queue_take(&q, to, sizeof(to), 1, &count), 0);
	assert_int_equal(count, 0);
	entry_queue_fini(&q);
}

/* An entry that does not fit waits for a larger message. */
static void what_does_not_fit_waits(void **state)
{
	(void)state;
	struct entry_queue q = { .entry_size = sizeof(struct entry),
		.len_at = offsetof(struct entry, len) };
	uint8_t to[64];
	size_t count;
	add(&q, 1, "abcd");
	assert_int_equal(
	    entry_queue_take(&q, to, sizeof(struct entry) + 3, 1, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(entry_queue_count(&q), 1);
	entry_queue_take(&q, to, sizeof(struct entry) + 4, 1, &count);
	assert_int_equal(count, 1);
	entry_queue_fini(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_come_in_order_with_their_octets),
		cmocka_unit_test(what_does_not_fit_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
