/* SPDX-License-Identifier: ISC */
/*
 * The policy file: one table gives each key, where its value lives, and what
 * it is when the file has no such key.  Every key exists twice, as local-...
 * for the administrator at the machine and as remote-... for campaigns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/option/config-file.h"
#include "lib/base/xalloc.h"
#include "probes/policy/policy-file.h"

#define MAX_DEFER_NS (60 * NS_PER_S)
#define KEY_LEN 40

static const struct policy_field {
	const char *key;
	size_t offset;
	bool is_flag;
	uint32_t max;
	uint32_t values[POLICY_WHOS]; /* local, remote */
} fields[] = {
#define NUMBER(key, field, max, local, remote)                         \
	{                                                              \
		key, offsetof(struct policy_class, field), false, max, \
		{                                                      \
			local, remote                                  \
		}                                                      \
	}
#define FLAG(key, field, local, remote)                             \
	{                                                           \
		key, offsetof(struct policy_class, field), true, 1, \
		{                                                   \
			local, remote                               \
		}                                                   \
	}
	NUMBER("run-rate", run_rate_pps, 1000000, 50000, 100),
	NUMBER("run-burst", run_burst, 1000000, 1000, 50),
	NUMBER("prefix-rate", prefix_rate_pps, 1000000, 10000, 20),
	NUMBER("prefix-burst", prefix_burst, 1000000, 1000, 20),
	NUMBER("agent-rate", agent_rate_pps, 1000000, 100000, 200),
	NUMBER("agent-burst", agent_burst, 1000000, 2000, 100),
	NUMBER("max-size", max_size_bytes, 1500, 1500, 1500),
	NUMBER("max-targets", max_targets, 4194304, 1048576, 4096),
	FLAG("allow-private", allow_private, true, false),
	FLAG("allow-own", allow_own, true, false),
	FLAG("allow-loopback", allow_loopback, true, false),
	FLAG("allow-special", allow_special, true, false),
	FLAG("allow-payload", allow_payload, true, false),
	FLAG("allow-tcp-flags", allow_tcp_flags, false, false),
	FLAG("allow-tcp-hold", allow_tcp_hold, true, false),
	FLAG("obey-deny-list", obey_deny_list, false, true),
};

static const char *const who_names[POLICY_WHOS] = { "local", "remote" };

enum {
	FIELDS = sizeof(fields) / sizeof(fields[0]),
	ROWS = FIELDS * POLICY_WHOS
};

static void set_field(
    struct policy_class *class, const struct policy_field *field, int64_t value)
{
	char *at = (char *)class + field->offset;
	uint32_t number = (uint32_t)value;
	bool flag = value != 0;
	if (field->is_flag)
		memcpy(at, &flag, sizeof(flag));
	else
		memcpy(at, &number, sizeof(number));
}

void policy_init(struct policy *policy)
{
	*policy = (struct policy){ .max_defer_ns = MAX_DEFER_NS };
	for (int who = 0; who < POLICY_WHOS; who++)
		for (int i = 0; i < FIELDS; i++)
			set_field(&policy->classes[who], &fields[i],
			    fields[i].values[who]);
}

void policy_fini(struct policy *policy)
{
	free(policy->deny);
	*policy = (struct policy){ 0 };
}

static void make_rows(struct option_row *rows, char (*names)[KEY_LEN])
{
	for (int i = 0; i < ROWS; i++) {
		const struct policy_field *field = &fields[i % FIELDS];
		snprintf(names[i], KEY_LEN, "%s-%s", who_names[i / FIELDS],
		    field->key);
		rows[i] = (struct option_row){ .name = names[i],
			.type = field->is_flag ? OPTION_FLAG : OPTION_INTEGER,
			.min = 0,
			.max = field->max };
	}
	rows[ROWS] =
	    (struct option_row){ .name = "max-defer", .type = OPTION_DURATION };
	rows[ROWS + 1] =
	    (struct option_row){ .name = "deny", .type = OPTION_LIST };
	rows[ROWS + 2] = (struct option_row){ .name = NULL };
}

static int compare_prefixes(const void *a, const void *b)
{
	const struct prefix *p = a, *q = b;
	int order = addr_cmp(&p->addr, &q->addr);
	return order != 0 ? order : (p->len > q->len) - (p->len < q->len);
}

/* Takes over the array; what lies inside another goes. */
static void set_deny(
    struct policy *policy, struct prefix *prefixes, size_t count)
{
	size_t kept = 0;
	if (count > 0)
		qsort(prefixes, count, sizeof(*prefixes), compare_prefixes);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 ||
		    !prefix_has(&prefixes[kept - 1], &prefixes[i].addr))
			prefixes[kept++] = prefixes[i];
	free(policy->deny);
	policy->deny = prefixes;
	policy->deny_count = kept;
}

static int read_deny(struct policy *policy, const struct config *config,
    const char *path, struct errmsg *msg)
{
	const char *const *items;
	size_t count = config_list(config, "deny", &items);
	struct prefix *prefixes = xcalloc(count + 1, sizeof(*prefixes));
	for (size_t i = 0; i < count; i++) {
		if (prefix_parse(&prefixes[i], items[i], msg) == 0)
			continue;
		err_prefix(msg, "%s: deny", path);
		free(prefixes);
		return ERR_CONFIG;
	}
	set_deny(policy, prefixes, count);
	return 0;
}

int policy_load(struct policy *policy, const char *path, struct errmsg *msg)
{
	struct option_row rows[ROWS + 3];
	char names[ROWS][KEY_LEN];
	struct config *config = NULL;
	make_rows(rows, names);
	int err = config_load(&config, rows, path, msg);
	if (err != 0)
		return err;
	for (int i = 0; i < ROWS; i++) {
		if (!config_given(config, names[i]))
			continue;
		const struct policy_field *field = &fields[i % FIELDS];
		set_field(&policy->classes[i / FIELDS], field,
		    field->is_flag ? config_flag(config, names[i])
				   : config_integer(config, names[i]));
	}
	if (config_given(config, "max-defer"))
		policy->max_defer_ns = config_duration_ns(config, "max-defer");
	err = read_deny(policy, config, path, msg);
	config_free(config);
	return err;
}
