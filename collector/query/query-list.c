/* SPDX-License-Identifier: ISC */
/* What all lists of the API share: limit, cursor, the page around the rows. */
#include "collector/query/query-list.h"

#include <stdlib.h>

int query_list_begin_page(struct query_list *list,
    const struct query_context *context, struct errmsg *msg)
{
	*list = (struct query_list){ 0 };
	query_begin(&list->query, context, msg);
	int err = query_limit(&list->query, &list->limit);
	if (err < 0)
		return err;
	list->filter.limit = list->limit + 1;
	list->items = json_array();
	return ERR_OK;
}

int query_list_begin(struct query_list *list,
    const struct query_context *context, struct errmsg *msg)
{
	struct store_plan at = { 0 };
	struct query q;
	query_begin(&q, context, msg);
	int err = query_cursor(&q, &at);
	if (err < 0)
		return err;
	err = query_list_begin_page(list, context, msg);
	list->filter.cursor_ns = list->last_ns = at.cursor_ns;
	list->filter.cursor_row = at.cursor_row;
	list->last_row = (int64_t)at.cursor_row;
	return err;
}

bool query_list_is_full(struct query_list *list)
{
	list->more = json_array_size(list->items) == list->limit;
	return list->more;
}

void query_list_add(
    struct query_list *list, json_t *item, int64_t ns, int64_t row)
{
	json_array_append_new(list->items, item);
	list->last_ns = ns;
	list->last_row = row;
}

int query_list_end(struct query_list *list, int err, json_t **answer)
{
	json_t *next = !list->more ? json_null()
	    : list->next           ? json_string(list->next)
				   : query_next(list->last_ns, list->last_row);
	free(list->next);
	list->next = NULL;
	return query_end(err < 0 ? err : ERR_OK,
	    json_pack("{s:o, s:o}", "items", list->items, "next", next),
	    answer);
}
