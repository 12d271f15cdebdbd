/* SPDX-License-Identifier: ISC */
/* One snapshot: the partitions that there were, the newest as it stood, the
 * sums as they were then.  Closed ones are opened when they are asked for. */
#include "collector/store/sqlite/store-view.h"

#include <stdlib.h>

#include "lib/base/xalloc.h"

int view_reader(struct store_view *view, size_t i,
    struct partition_reader **reader, struct errmsg *msg)
{
	struct partition_set *set = &view->store->partitions;
	*reader = view->readers[i];
	if (*reader)
		return ERR_OK;
	int err = partition_reader_get(set, view->partitions[i], reader, msg);
	if (err < 0 || !*reader)
		return err;
	view->readers[i] = *reader;
	err = db_run(&(*reader)->db, msg, "BEGIN", "");
	return err;
}

void store_end(struct store_view *view)
{
	if (!view)
		return;
	struct partition_set *set = &view->store->partitions;
	rollup_end(view->rollup);
	for (size_t i = 0; i < view->count; i++)
		if (view->readers[i])
			partition_reader_put(set, view->readers[i]);
	partitions_release(set, view->partitions, view->count);
	free(view->readers);
	free(view);
}

int store_begin(
    struct store *store, struct store_view **view, struct errmsg *msg)
{
	struct store_view *made = xcalloc(1, sizeof(*made));
	struct partition_reader *reader;
	int64_t ignored;
	made->store = store;
	made->partitions = partitions_hold(&store->partitions, &made->count);
	made->readers = xcalloc(made->count, sizeof(struct partition_reader *));
	int err = rollup_begin(store->gather, &made->rollup, msg);
	if (err < 0)
		goto failed;
	err = view_reader(made, made->count - 1, &reader, msg);
	if (err < 0)
		goto failed;
	/* The snapshot is that of the first read. */
	if (reader &&
	    db_integer(&reader->db, &ignored, 0, "SELECT 1 FROM meta LIMIT 1",
		"") < 0) {
		err = db_error(&reader->db, msg);
		goto failed;
	}
	*view = made;
	return ERR_OK;
failed:
	store_end(made);
	return err == ERR_CORRUPT ? err : ERR_UNAVAILABLE;
}
