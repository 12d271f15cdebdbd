/* SPDX-License-Identifier: ISC */
/* Connections at rest: there are as many as threads ever read at the same
 * time. */
#include "collector/core/reader-pool.h"

#include <stdlib.h>

#include "collector/core/fault.h"
#include "collector/core/private.h"
#include "lib/base/xalloc.h"

#define AT_REST_MOST 16

struct rest {
	void *items[AT_REST_MOST];
	size_t count;
};
struct readers {
	pthread_mutex_t lock;
	struct rest registry;
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
	while (readers->registry.count > 0)
		registry_reader_close(
		    readers->registry.items[--readers->registry.count]);
	pthread_mutex_destroy(&readers->lock);
	free(readers);
	c->readers = NULL;
}

/* One at rest, or NULL. */
static void *take_rested(struct readers *readers, struct rest *rest)
{
	pthread_mutex_lock(&readers->lock);
	void *item = rest->count > 0 ? rest->items[--rest->count] : NULL;
	pthread_mutex_unlock(&readers->lock);
	return item;
}

/* False: there are enough, close it. */
static bool put_to_rest(struct readers *readers, struct rest *rest, void *item)
{
	pthread_mutex_lock(&readers->lock);
	bool kept = rest->count < AT_REST_MOST;
	if (kept)
		rest->items[rest->count++] = item;
	pthread_mutex_unlock(&readers->lock);
	return kept;
}

/* Damage that kept a connection from being opened. */
static void note_open(struct collector *c, int err)
{
	struct errmsg why;
	if (err != ERR_CORRUPT)
		return;
	err_set(&why, err,
	    "database: it is damaged; see sonde-collector --check-db");
	fault_note(c, &why);
}

int reader_get(
    struct collector *c, struct store_view **view, struct errmsg *msg)
{
	*view = NULL;
	int err = collector_fault(c, msg) ? ERR_UNAVAILABLE
					  : c->ops->begin(c->store, view, msg);
	note_open(c, err);
	return err < 0 ? ERR_UNAVAILABLE : ERR_OK;
}

void reader_put(struct collector *c, struct store_view *view)
{
	struct errmsg why;
	c->ops->end(view);
	if (c->ops->fault(c->store, &why) < 0)
		fault_note(c, &why);
}

static void note_registry_damage(
    struct collector *c, struct registry_reader *reader)
{
	struct errmsg why;
	if (reader && registry_reader_fault(reader, &why) < 0)
		fault_note(c, &why);
}

int registry_get(
    struct collector *c, struct registry_reader **reader, struct errmsg *msg)
{
	*reader = NULL;
	if (collector_fault(c, msg))
		return ERR_UNAVAILABLE;
	int err = ERR_OK;
	*reader = take_rested(c->readers, &c->readers->registry);
	if (!*reader)
		err = registry_reader_open(reader, c->state_dir, msg);
	if (err < 0)
		goto failed;
	err = registry_reader_begin(*reader, msg);
	if (err < 0)
		goto failed;
	return ERR_OK;
failed:
	note_open(c, err);
	registry_reader_close(*reader);
	*reader = NULL;
	return ERR_UNAVAILABLE;
}

void registry_put(struct collector *c, struct registry_reader *reader)
{
	registry_reader_end(reader);
	note_registry_damage(c, reader);
	if (!put_to_rest(c->readers, &c->readers->registry, reader))
		registry_reader_close(reader);
}

const struct part reader_pool_part = {
	.name = "readers",
	.open = open_pool,
	.close = close_pool,
};
