/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/wake-thread.h"

struct counting {
	struct wake_thread thread;
	int asked, done; /* under its lock */
	pthread_cond_t did;
};

static void *count_main(void *arg)
{
	struct counting *c = arg;
	pthread_mutex_lock(&c->thread.lock);
	while (!c->thread.stop || c->done < c->asked) {
		if (c->done < c->asked) {
			c->done++;
			pthread_cond_signal(&c->did);
			continue;
		}
		wake_thread_wait(
		    &c->thread, monotime_add(monotime_now(), 3600 * NS_PER_S));
	}
	pthread_mutex_unlock(&c->thread.lock);
	return NULL;
}

/* An hour's wait ends when there is work, and when it is to stop. */
static void work_and_the_end_wake_it(void **state)
{
	(void)state;
	struct counting c = { .asked = 0 };
	struct errmsg msg = { "" };
	pthread_cond_init(&c.did, NULL);
	wake_thread_init(&c.thread);
	assert_int_equal(
	    wake_thread_start(&c.thread, count_main, &c, "counting", &msg),
	    ERR_OK);
	for (int i = 1; i <= 100; i++) {
		pthread_mutex_lock(&c.thread.lock);
		c.asked = i;
		wake_thread_wake(&c.thread);
		while (c.done < i)
			pthread_cond_wait(&c.did, &c.thread.lock);
		pthread_mutex_unlock(&c.thread.lock);
	}
	wake_thread_stop(&c.thread);
	assert_int_equal(c.done, 100);
	assert_false(c.thread.running);
	wake_thread_fini(&c.thread);
	pthread_cond_destroy(&c.did);
}

static void a_wait_ends_when_it_is_time(void **state)
{
	(void)state;
	struct wake_thread thread;
	wake_thread_init(&thread);
	struct monotime until = monotime_add(monotime_now(), NS_PER_MS);
	pthread_mutex_lock(&thread.lock);
	while (wake_thread_wait(&thread, until))
		;
	assert_false(monotime_before(monotime_now(), until));
	pthread_mutex_unlock(&thread.lock);
	wake_thread_stop(&thread); /* none runs: nothing to wait for */
	wake_thread_fini(&thread);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_and_the_end_wake_it),
		cmocka_unit_test(a_wait_ends_when_it_is_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
