/* SPDX-License-Identifier: ISC */
/* The kinds in the order of their table, and a batch's way through them. */
#include "collector/core/trusted-clock.h"
#include "collector/core/writer.h"
#include "collector/ingest/kinds/ingest-kind.h"

#define EXPIRE_PERIOD_NS (3600 * NS_PER_S)

static const struct {
	Sonde__Record__BodyCase body;
	const struct ingest_kind *kind;
} kinds[] = {
#define KIND(name, capitals, class, producers) \
	{ SONDE__RECORD__BODY_##capitals, &ingest_##name },
	RECORD_KINDS(KIND)
#undef KIND
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static size_t kind_index(Sonde__Record__BodyCase body)
{
	size_t i = 0;
	while (i < KIND_COUNT && kinds[i].body != body)
		i++;
	if (i == KIND_COUNT)
		BUG("record kind %d", (int)body);
	return i;
}

const struct ingest_kind *ingest_kind_of(Sonde__Record__BodyCase body)
{
	return kinds[kind_index(body)].kind;
}

int ingest_check(struct collector *collector,
    const struct prepared_batch *batch, struct errmsg *msg)
{
	struct ingest_checking checking = { collector, batch, { NULL, 0 },
		NULL };
	int err = ERR_OK;
	for (uint32_t i = 0; i < batch->header.count && err == ERR_OK; i++) {
		const struct ingest_kind *kind =
		    ingest_kind_of(batch->records[i].kind);
		if (!kind->check)
			continue;
		err = kind->check(&checking, i, msg);
		if (err < 0)
			err_prefix(msg, "record %u", i);
	}
	result_catalog_fini(&checking.schemas);
	/* A row over a bound of its own is no batch over one. */
	return err < 0 ? ERR_MALFORMED : ERR_OK;
}

int ingest_prepare_record(
    struct prepared_record *to, const Sonde__Record *record, struct errmsg *msg)
{
	const struct ingest_kind *kind = ingest_kind_of(record->body_case);
	return kind->prepare ? kind->prepare(to, record, msg) : 0;
}

int ingest_announce(const struct announcement *a, struct errmsg *msg)
{
	bool met[KIND_COUNT] = { false };
	for (uint32_t i = a->outcome->first_new; i < a->batch->header.count;
	     i++)
		met[kind_index(a->batch->records[i].kind)] = true;
	for (size_t k = 0; k < KIND_COUNT; k++) {
		if (!met[k] || !kinds[k].kind->announce)
			continue;
		int err = kinds[k].kind->announce(a, msg);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

static int run_expiry(struct collector *c, struct job *job, struct errmsg *msg)
{
	int64_t now_ns = trusted_clock_now(c).ns;
	(void)job;
	for (size_t k = 0; k < KIND_COUNT; k++) {
		if (!kinds[k].kind->expire)
			continue;
		int err = kinds[k].kind->expire(c, now_ns, msg);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

static void expire_kinds(struct collector *c)
{
	struct job job = { .run = run_expiry };
	writer_run_now(c, &job);
}

const struct part kinds_part = {
	.name = "kinds",
	.period_ns = EXPIRE_PERIOD_NS,
	.run = expire_kinds,
};
