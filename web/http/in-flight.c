/* SPDX-License-Identifier: ISC */
/* Two counters and a flag under one lock. */

#include "web/http/in-flight.h"

#include <time.h>

void in_flight_init(struct in_flight *flight)
{
	*flight = (struct in_flight){ 0 };
	pthread_mutex_init(&flight->lock, NULL);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&flight->changed, &attr);
	pthread_condattr_destroy(&attr);
}

void in_flight_fini(struct in_flight *flight)
{
	pthread_cond_destroy(&flight->changed);
	pthread_mutex_destroy(&flight->lock);
}

bool in_flight_hold(struct in_flight *flight)
{
	pthread_mutex_lock(&flight->lock);
	bool held = !flight->stopping;
	flight->held += held;
	pthread_mutex_unlock(&flight->lock);
	return held;
}

static void count_down(struct in_flight *flight, size_t *count)
{
	pthread_mutex_lock(&flight->lock);
	(*count)--;
	if (*count == 0)
		pthread_cond_broadcast(&flight->changed);
	pthread_mutex_unlock(&flight->lock);
}

void in_flight_release(struct in_flight *flight)
{
	count_down(flight, &flight->held);
}

void in_flight_enter(struct in_flight *flight)
{
	pthread_mutex_lock(&flight->lock);
	flight->running++;
	pthread_mutex_unlock(&flight->lock);
}

void in_flight_leave(struct in_flight *flight)
{
	count_down(flight, &flight->running);
}

void in_flight_stop(struct in_flight *flight)
{
	pthread_mutex_lock(&flight->lock);
	flight->stopping = true;
	pthread_cond_broadcast(&flight->changed);
	pthread_mutex_unlock(&flight->lock);
}

bool in_flight_sleep(struct in_flight *flight)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	pthread_mutex_lock(&flight->lock);
	if (!flight->stopping)
		pthread_cond_timedwait(&flight->changed, &flight->lock, &until);
	bool stopping = flight->stopping;
	pthread_mutex_unlock(&flight->lock);
	return !stopping;
}

void in_flight_wait(struct in_flight *flight, int64_t grace_s)
{
	struct timespec until;
	pthread_mutex_lock(&flight->lock);
	while (flight->held > 0)
		pthread_cond_wait(&flight->changed, &flight->lock);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += grace_s;
	while (flight->running > 0 &&
	    pthread_cond_timedwait(&flight->changed, &flight->lock, &until) ==
		0)
		;
	pthread_mutex_unlock(&flight->lock);
}
