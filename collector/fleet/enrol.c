/* SPDX-License-Identifier: ISC */
/*
 * How a machine becomes an agent: an administrator makes a token, good once
 * and for some minutes; who has it may bring a key.  From then on only
 * the key counts.  The token is spent and the agent made in one transaction.
 */
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "collector/fleet/enrol.h"
#include "collector/core/writer.h"
#include "collector/core/event-log.h"
#include "collector/core/agent-table.h"
#include "lib/json/json-value.h"
#include "collector/core/private.h"
#include "collector/registry/registry-agents.h"
#include "lib/base/xalloc.h"

#define TOKEN_BYTES 16
#define TTL_DEFAULT_S 900
#define TTL_MOST_S (7 * 86400)
#define VERSION_MOST 31

static void hash_token(const char *token, uint8_t hash[REGISTRY_TOKEN_HASH_LEN])
{
	crypto_generichash(hash, REGISTRY_TOKEN_HASH_LEN,
	    (const uint8_t *)token, strlen(token), NULL, 0);
}

struct token_job {
	struct job job;
	struct registry_token token;
};

static int run_token(struct collector *c, struct job *base, struct errmsg *msg)
{
	struct token_job *job = (struct token_job *)base;
	return registry_token_add(c->registry, &job->token, msg);
}

static int read_ttl(const json_t *body, int64_t *ttl_s, struct errmsg *msg)
{
	const json_t *ttl = json_object_get(body, "ttl_s");
	*ttl_s = TTL_DEFAULT_S;
	if (!ttl || json_is_null(ttl))
		return ERR_OK;
	*ttl_s = json_integer_value(ttl);
	if (!json_is_integer(ttl) || *ttl_s < 1 || *ttl_s > TTL_MOST_S)
		return err_set(
		    msg, ERR_USAGE, "ttl_s: expected 1 to %d", TTL_MOST_S);
	return ERR_OK;
}

static int read_token_body(const json_t *body, struct token_job *job,
    json_t **tags, int64_t *ttl_s, struct errmsg *msg)
{
	static const char *const known[] = { "name", "tags", "ttl_s", NULL };
	int err = body ? json_only(body, known, msg) : ERR_OK;
	if (err < 0)
		return err;
	const json_t *name = json_object_get(body, "name");
	if (name && !json_is_null(name)) {
		job->token.name = json_string_value(name);
		if (!name_is_plain(job->token.name, AGENT_NAME_MAX))
			return err_set(msg, ERR_USAGE,
			    "name: expected letters, digits, \".\", \"_\", "
			    "\"-\", at most %d",
			    AGENT_NAME_MAX);
	}
	err = read_ttl(body, ttl_s, msg);
	if (err < 0)
		return err;
	return json_names(tags, body, "tags", AGENT_TAGS_MAX, msg);
}

int enrol_token_new(struct collector *c, const struct principal *principal,
    const json_t *body, json_t **answer, struct errmsg *msg)
{
	struct token_job job = { .job = { .run = run_token } };
	json_t *tags = NULL;
	int64_t ttl_s = 0;
	int err = principal_check(principal, ROLE_ADMIN, msg);
	if (err < 0)
		return err;
	err = read_token_body(body, &job, &tags, &ttl_s, msg);
	if (err < 0)
		return err;
	uint8_t bytes[TOKEN_BYTES];
	char text[2 * TOKEN_BYTES + 1];
	randombytes_buf(bytes, sizeof(bytes));
	hex_text(bytes, sizeof(bytes), text);
	char *tags_text = json_dumps(tags, JSON_COMPACT);
	json_decref(tags);
	hash_token(text, job.token.hash);
	job.token.tags = tags_text;
	job.token.made_ns = collector_wall(c).ns;
	job.token.expires_ns = job.token.made_ns + ttl_s * NS_PER_S;
	err = writer_call(c, &job.job, msg);
	free(tags_text);
	if (err == ERR_OK)
		*answer = json_pack("{s:s, s:o}", "token", text, "expires_at",
		    json_time(job.token.expires_ns));
	sodium_memzero(text, sizeof(text));
	return err;
}

struct enrol_job {
	struct job job;
	uint8_t hash[REGISTRY_TOKEN_HASH_LEN];
	struct registry_agent agent;
	const char *token, *name, *version; /* as asked for */
	char made_name[AGENT_NAME_MAX + 1]; /* as given */
	char *made_tags;                    /* owned */
};

/* The token was used: by this key, or by another? */
static int enrol_again(struct collector *c, struct enrol_job *job,
    const struct registry_token *token, struct errmsg *msg)
{
	struct agent agent;
	if (!agents_find(c, job->agent.id, &agent) ||
	    agent.row != token->agent_row)
		return err_set(msg, ERR_DENIED, "token: used already");
	job->agent.row = agent.row;
	memcpy(job->made_name, agent.name, sizeof(job->made_name));
	return ERR_OK;
}

static int enrol_new(struct collector *c, struct enrol_job *job,
    struct registry_token token, struct errmsg *msg)
{
	if (token.expires_ns <= collector_wall(c).ns)
		return err_set(msg, ERR_DENIED, "token: expired");
	const char *name = token.name ? token.name : job->name;
	memcpy(job->made_name, name, strlen(name) + 1);
	job->agent.name = job->made_name;
	job->agent.tags = job->made_tags;
	job->agent.version = job->version;
	job->agent.enrolled_ns = collector_wall(c).ns;
	int err = registry_agent_add(c->registry, &job->agent, msg);
	if (err == -EEXIST)
		return err_set(
		    msg, -EEXIST, "agent: this name or key is taken");
	if (err < 0)
		return err;
	token.agent_row = job->agent.row;
	token.used_ns = job->agent.enrolled_ns;
	err = registry_token_use(c->registry, &token, msg);
	if (err < 0)
		return err;
	err = registry_revise(c->registry, &job->job.revision, msg);
	if (err < 0)
		return err;
	char *text = xasprintf("%s is enrolled", job->made_name);
	err = event_log_add(c, "agent", text,
	    json_pack("{s:o, s:s, s:s}", "agent",
		json_hex(job->agent.id, sizeof(job->agent.id)), "name",
		job->made_name, "state", "new"),
	    msg);
	free(text);
	return err;
}

static int run_enrol(struct collector *c, struct job *base, struct errmsg *msg)
{
	struct enrol_job *job = (struct enrol_job *)base;
	struct registry_token token = { 0 };
	int err = registry_token_get(c->registry, job->hash, &token, msg);
	if (err == ERR_NOT_FOUND)
		return err_set(msg, ERR_DENIED, "token: not known");
	if (err < 0)
		return err;
	free(job->made_tags);
	job->made_tags = xstrdup(token.tags);
	return token.used_ns ? enrol_again(c, job, &token, msg)
			     : enrol_new(c, job, token, msg);
}

static int check_signature(const struct enrol_job *job,
    const uint8_t signature[crypto_sign_BYTES], struct errmsg *msg)
{
	struct buf bytes = { 0 };
	static const char context[] = "sonde-enrol";
	buf_bytes(&bytes, context, sizeof(context));
	buf_bytes(&bytes, job->token, strlen(job->token) + 1);
	buf_bytes(&bytes, job->agent.key, sizeof(job->agent.key));
	buf_u8(&bytes, 0);
	buf_bytes(&bytes, job->name, strlen(job->name));
	int bad = crypto_sign_verify_detached(
	    signature, bytes.data, bytes.len, job->agent.key);
	buf_fini(&bytes);
	return bad ? err_set(msg, ERR_SIGNATURE, "signature: does not verify")
		   : ERR_OK;
}

static int read_enrol_body(
    const json_t *body, struct enrol_job *job, struct errmsg *msg)
{
	static const char *const known[] = { "token", "public_key", "name",
		"version", "signature", NULL };
	uint8_t signature[crypto_sign_BYTES];
	int err = json_only(body, known, msg);
	if (err < 0)
		return err;
	job->token = json_string_value(json_object_get(body, "token"));
	job->name = json_string_value(json_object_get(body, "name"));
	job->version = json_string_value(json_object_get(body, "version"));
	if (!job->token || strlen(job->token) > 4 * TOKEN_BYTES)
		return err_set(msg, ERR_USAGE, "token: expected a token");
	if (!name_is_plain(job->name, AGENT_NAME_MAX))
		return err_set(msg, ERR_USAGE,
		    "name: expected letters, digits, \".\", \"_\", \"-\", at "
		    "most %d",
		    AGENT_NAME_MAX);
	if (!name_is_plain(job->version, VERSION_MOST))
		return err_set(msg, ERR_USAGE, "version: expected a version");
	if (!hex_parse(job->agent.key, sizeof(job->agent.key),
		json_string_value(json_object_get(body, "public_key"))))
		return err_set(
		    msg, ERR_USAGE, "public_key: expected 64 hex digits");
	if (!hex_parse(signature, sizeof(signature),
		json_string_value(json_object_get(body, "signature"))))
		return err_set(
		    msg, ERR_USAGE, "signature: expected 128 hex digits");
	return check_signature(job, signature, msg);
}

static json_t *enrol_answer(
    const struct collector *c, const struct enrol_job *job, const json_t *tags)
{
	return json_pack("{s:o, s:s, s:O, s:s, s:o}", "agent",
	    json_hex(job->agent.id, sizeof(job->agent.id)), "name",
	    job->made_name, "tags", tags, "generation", c->generation,
	    "server_time", json_time(collector_wall(c).ns));
}

int enrol_agent(struct collector *c, const json_t *body, json_t **answer,
    struct errmsg *msg)
{
	struct enrol_job job = { .job = { .run = run_enrol } };
	int err = read_enrol_body(body, &job, msg);
	if (err < 0)
		return err;
	hash_token(job.token, job.hash);
	crypto_generichash(job.agent.id, sizeof(job.agent.id), job.agent.key,
	    sizeof(job.agent.key), NULL, 0);
	err = writer_call(c, &job.job, msg);
	if (err == ERR_OK) {
		json_t *tags = json_loads(job.made_tags, 0, NULL);
		*answer = enrol_answer(c, &job, tags);
		struct agent agent = { .row = job.agent.row,
			.enrolled_ns = job.agent.enrolled_ns };
		memcpy(agent.id, job.agent.id, sizeof(agent.id));
		memcpy(agent.key, job.agent.key, sizeof(agent.key));
		memcpy(agent.name, job.made_name, sizeof(agent.name));
		agents_add(c, &agent, tags);
	}
	free(job.made_tags);
	return err;
}

static int check_time(
    const struct collector *c, const char *text, struct errmsg *msg)
{
	char *end;
	errno = 0;
	long long ns = strtoll(text, &end, 10);
	if (errno || end == text || *end)
		return err_set(msg, -ETIME, "time: expected nanoseconds");
	int64_t now = collector_wall(c).ns;
	int64_t off = ns > now ? ns - now : now - ns;
	if (ns < 0 || off > ENROL_CLOCK_SKEW_S * NS_PER_S)
		return err_set(msg, -ETIME,
		    "time: %" PRId64 " s from ours, expected at most %d",
		    off / NS_PER_S, ENROL_CLOCK_SKEW_S);
	return ERR_OK;
}

int enrol_check_request(struct collector *c,
    const struct enrol_request *request, uint8_t id[AGENT_ID_LEN],
    struct errmsg *msg)
{
	struct agent agent;
	uint8_t signature[crypto_sign_BYTES];
	if (!hex_parse(id, AGENT_ID_LEN, request->agent) ||
	    !agents_find(c, id, &agent))
		return err_set(
		    msg, ERR_UNKNOWN_AGENT, "agent: not enrolled here");
	if (!request->time || !request->target ||
	    !hex_parse(signature, sizeof(signature), request->signature))
		return err_set(
		    msg, ERR_SIGNATURE, "signature: expected 128 hex digits");
	struct buf bytes = { 0 };
	static const char context[] = "sonde-work";
	buf_bytes(&bytes, context, sizeof(context));
	buf_bytes(&bytes, id, AGENT_ID_LEN);
	buf_u8(&bytes, 0);
	buf_bytes(&bytes, request->time, strlen(request->time) + 1);
	buf_bytes(&bytes, request->target, strlen(request->target));
	int bad = crypto_sign_verify_detached(
	    signature, bytes.data, bytes.len, agent.key);
	buf_fini(&bytes);
	if (bad)
		return err_set(
		    msg, ERR_SIGNATURE, "signature: does not verify");
	int err = check_time(c, request->time, msg);
	if (err < 0)
		return err;
	agents_contact(c, id);
	return ERR_OK;
}
