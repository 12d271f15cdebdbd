/* SPDX-License-Identifier: ISC */
/*
 * Read-only connections at rest.  A query takes one, reads within one
 * snapshot and gives it back, so there are as many as threads ever read at
 * the same time.
 */
#include <stdlib.h>

#include "collector/core/fault.h"
#include "collector/core/private.h"
#include "collector/core/reader-pool.h"
#include "lib/base/xalloc.h"

#define AT_REST_MOST 16

struct readers {
	pthread_mutex_t lock;
	struct store_reader *at_rest[AT_REST_MOST];
	size_t count;
};

static int open_pool(struct collector *c, struct errmsg *msg)
{
	(void)msg;
	c->readers = xcalloc(1, sizeof(*c->readers));
	pthread_mutex_init(&c->readers->lock, NULL);
	return ERR_OK;
}

static void close_pool(struct collector *c)
{
	struct readers *readers = c->readers;
	if (!readers)
		return;
	while (readers->count > 0)
		c->ops->reader_close(readers->at_rest[--readers->count]);
	pthread_mutex_destroy(&readers->lock);
	free(readers);
	c->readers = NULL;
}

static void note_damage(struct collector *c, struct store_reader *reader)
{
	struct errmsg why;
	if (reader && c->ops->reader_fault(reader, &why) < 0)
		fault_note(c, &why);
}

int reader_get(
    struct collector *c, struct store_reader **reader, struct errmsg *msg)
{
	struct readers *readers = c->readers;
	*reader = NULL;
	pthread_mutex_lock(&readers->lock);
	if (readers->count > 0)
		*reader = readers->at_rest[--readers->count];
	pthread_mutex_unlock(&readers->lock);
	int err = collector_fault(c, msg) ? ERR_UNAVAILABLE : ERR_OK;
	if (err == ERR_OK && !*reader)
		err = c->ops->reader_open(reader, &c->store_config, msg);
	if (err == ERR_OK)
		err = c->ops->reader_begin(*reader, msg);
	if (err < 0) {
		note_damage(c, *reader);
		c->ops->reader_close(*reader);
		*reader = NULL;
		return ERR_UNAVAILABLE;
	}
	return ERR_OK;
}

void reader_put(struct collector *c, struct store_reader *reader)
{
	struct readers *readers = c->readers;
	c->ops->reader_end(reader);
	note_damage(c, reader);
	pthread_mutex_lock(&readers->lock);
	if (readers->count < AT_REST_MOST) {
		readers->at_rest[readers->count++] = reader;
		reader = NULL;
	}
	pthread_mutex_unlock(&readers->lock);
	c->ops->reader_close(reader);
}

const struct part reader_pool_part = {
	.name = "readers",
	.open = open_pool,
	.close = close_pool,
};
