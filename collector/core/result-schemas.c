/* SPDX-License-Identifier: ISC */
#include "collector/core/result-schemas.h"

#include <stdlib.h>
#include <string.h>

#include "collector/core/private.h"
#include "collector/core/reader-pool.h"
#include "collector/registry/registry-results.h"
#include "lib/base/log.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

/* Agents announce what they use once a day; their records may be late. */
#define UNUSED_NS (7 * INT64_C(86400) * NS_PER_S)

struct result_schemas {
	pthread_mutex_t lock;
	struct result_schema_entry *list; /* in the order they came */
	size_t count;
};

static void append_schema(
    struct result_schemas *s, const struct result_schema_entry *entry)
{
	pthread_mutex_lock(&s->lock);
	VEC_ROOM(s->list, s->count);
	s->list[s->count++] = *entry;
	pthread_mutex_unlock(&s->lock);
}

const struct result_schema *result_schemas_find(
    struct collector *c, const void *hash, size_t hash_len)
{
	struct result_schemas *s = c->result_schemas;
	const struct result_schema *found = NULL;
	if (hash_len != RESULT_HASH_LEN)
		return NULL;
	pthread_mutex_lock(&s->lock);
	for (size_t i = s->count; i-- > 0 && !found;)
		if (memcmp(s->list[i].schema->hash, hash, hash_len) == 0)
			found = s->list[i].schema;
	pthread_mutex_unlock(&s->lock);
	return found;
}

size_t result_schemas_list(
    struct collector *c, struct result_schema_entry **list)
{
	struct result_schemas *s = c->result_schemas;
	pthread_mutex_lock(&s->lock);
	size_t count = s->count;
	*list = xcalloc(count + 1, sizeof(**list));
	for (size_t i = 0; i < count; i++)
		(*list)[i] = s->list[count - 1 - i];
	pthread_mutex_unlock(&s->lock);
	return count;
}

int result_schemas_add(struct collector *c, int64_t agent_row,
    const Sonde__ResultSchema *from, struct errmsg *msg)
{
	struct result_schema *schema;
	struct buf body = { 0 };
	struct errmsg why;
	int err = result_schema_new(&schema, from, msg);
	if (err < 0)
		return err;
	sonde__result_schema__pack(from,
	    buf_extend(&body, sonde__result_schema__get_packed_size(from)));
	struct registry_result_schema row = {
		.hash = schema->hash,
		.script = schema->script,
		.agent = agent_row,
		.first_ns = collector_wall(c).ns,
		.body = body.data,
		.body_len = body.len,
	};
	err = registry_result_schema_add(
	    c->registry, &row, RESULT_SCHEMAS_MAX, &why);
	buf_fini(&body);
	if (err == ERR_LIMIT) {
		if (c->counters.result_schemas_refused++ == 0)
			log_warn("%s", why.text);
		result_schema_free(schema);
		return ERR_OK;
	}
	/* Known here while the registry is not: that transaction was lost.
	 * Before the list is open, opening it reads the registry. */
	bool known = !c->result_schemas ||
	    result_schemas_find(c, schema->hash, sizeof(schema->hash));
	if (err < 0 || known) {
		result_schema_free(schema);
		if (err < 0 && msg)
			*msg = why;
		return err < 0 ? err : ERR_OK;
	}
	append_schema(c->result_schemas,
	    &(struct result_schema_entry){ schema, agent_row, row.first_ns });
	return ERR_OK;
}

int result_schemas_expire(
    struct collector *c, int64_t now_ns, struct errmsg *msg)
{
	int64_t age = c->config.raw_age_ns;
	return age ? registry_result_schemas_trim(
			 c->registry, now_ns - age - UNUSED_NS, msg)
		   : ERR_OK;
}

/* What cannot be read any more is left out: its rows stay raw records. */
static int take_stored(void *ctx, const struct registry_result_schema *row)
{
	struct result_schemas *s = ctx;
	struct result_schema_entry entry = { NULL, row->agent, row->first_ns };
	Sonde__ResultSchema *from =
	    sonde__result_schema__unpack(NULL, row->body_len, row->body);
	struct errmsg msg = { "it does not unpack" };
	if (from && result_schema_new(&entry.schema, from, &msg) == 0)
		append_schema(s, &entry);
	else
		log_warn("result schema of %s in the registry: %s", row->script,
		    msg.text);
	if (from)
		sonde__result_schema__free_unpacked(from, NULL);
	return 0;
}

static int open_schemas(struct collector *c, struct errmsg *msg)
{
	struct registry_reader *reader;
	struct result_schemas *s = xcalloc(1, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	c->result_schemas = s;
	int err = registry_get(c, &reader, msg);
	if (err < 0)
		return err;
	err = registry_read_result_schemas(reader, take_stored, s);
	if (err < 0) {
		const char *why = registry_reader_error(reader);
		err_set(msg, err, "registry: %s", why ? why : err_str(err));
	}
	registry_put(c, reader);
	return err;
}

static void close_schemas(struct collector *c)
{
	struct result_schemas *s = c->result_schemas;
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		result_schema_free(s->list[i].schema);
	free(s->list);
	pthread_mutex_destroy(&s->lock);
	free(s);
	c->result_schemas = NULL;
}

const struct part result_schemas_part = {
	.name = "result schemas",
	.open = open_schemas,
	.close = close_schemas,
};
