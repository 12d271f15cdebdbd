/* SPDX-License-Identifier: ISC */
/*
 * Enrolment.  The key is on disk before the collector hears of it: if its
 * answer is lost, the same token and key ask again and get the same answer.
 */
#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/hex.h"
#include "lib/base/buf.h"
#include "lib/base/xalloc.h"
#include "probes/agent/config/enrolment.h"
#include "probes/agent/shipper/shipper-start.h"
#include "lib/https/url.h"

#define PLAIN \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

static int choose_name(struct agent_identity *identity,
    const struct agent_config *config, const char *name, struct errmsg *msg)
{
	char host[65] = "";
	gethostname(host, sizeof(host) - 1);
	name = name ? name : config->name ? config->name : host;
	if (!*name || strlen(name) >= sizeof(identity->name) ||
	    name[strspn(name, PLAIN)])
		return err_set(msg, ERR_USAGE,
		    "name: expected letters, digits, '.', '_' and '-', got "
		    "'%.64s'",
		    name);
	snprintf(identity->name, sizeof(identity->name), "%s", name);
	return 0;
}

/* An identity that is there is kept; a key without one is used again. */
static int choose_key(struct agent_identity *identity,
    const struct agent_config *config, struct errmsg *msg)
{
	struct agent_identity old;
	uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
	int err = agent_identity_load(&old, config->state_dir, msg);
	if (err == 0)
		return err_set(msg, ERR_USAGE,
		    "%.120s: enrolled already, at %.80s; to start over, remove "
		    "it",
		    config->state_dir, old.collector);
	if (err != ERR_NOT_FOUND)
		return err;
	err = agent_key_load(identity->secret_key, config->state_dir, msg);
	if (err != -ENOENT)
		return err;
	crypto_sign_keypair(public_key, identity->secret_key);
	return agent_key_save(identity, config, msg);
}

static json_t *request_json(
    const struct agent_identity *identity, const char *token)
{
	static const char tag[] = "sonde-enrol";
	uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
	uint8_t signature[crypto_sign_BYTES];
	char key_hex[HEX_TEXT_LEN(sizeof(public_key))];
	char signature_hex[HEX_TEXT_LEN(sizeof(signature))];
	struct buf text = { 0 };
	crypto_sign_ed25519_sk_to_pk(public_key, identity->secret_key);
	buf_bytes(&text, tag, sizeof(tag));
	buf_bytes(&text, token, strlen(token) + 1);
	buf_bytes(&text, public_key, sizeof(public_key));
	buf_u8(&text, 0);
	buf_bytes(&text, identity->name, strlen(identity->name));
	crypto_sign_detached(
	    signature, NULL, text.data, text.len, identity->secret_key);
	buf_fini(&text);
	hex_text(public_key, sizeof(public_key), key_hex);
	hex_text(signature, sizeof(signature), signature_hex);
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "token", token,
	    "public_key", key_hex, "name", identity->name, "version",
	    SONDE_VERSION, "signature", signature_hex);
}

static const char *text_of(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

/* What the collector refuses, and what to do about it. */
static int explain_refusal(
    long status, const char *name, const char *detail, struct errmsg *msg)
{
	if (status == 409)
		return err_set(msg, ERR_USAGE,
		    "the name '%.64s' is taken there: choose another --name; "
		    "or this key is: give the agent a new state-dir",
		    name);
	if (status == 403)
		return err_set(msg, ERR_DENIED,
		    "the collector answers: %.120s; `sonde token` makes a new "
		    "one",
		    detail);
	return err_set(msg,
	    status >= 500       ? ERR_UNAVAILABLE
		: status == 429 ? -EAGAIN
				: ERR_DENIED,
	    "the collector answers %ld: %.120s", status, detail);
}

/* What the collector answers goes into a file, so it must be plain. */
static int read_answer(struct agent_identity *identity,
    const struct shipper_answer *answer, struct errmsg *msg)
{
	json_t *root =
	    json_loadb((const char *)answer->body, answer->body_len, 0, NULL);
	const char *id = text_of(root, "agent");
	const char *generation = text_of(root, "generation");
	const char *name = text_of(root, "name");
	int err = 0;
	if (answer->status != 201)
		err = explain_refusal((long)answer->status, identity->name,
		    text_of(root, "detail"), msg);
	else if (!hex_parse(identity->id, sizeof(identity->id), id) ||
	    generation[strspn(generation, PLAIN)] || name[strspn(name, PLAIN)])
		err = err_set(
		    msg, ERR_MALFORMED, "the collector's answer is not one");
	if (err < 0)
		goto out;
	snprintf(identity->generation, sizeof(identity->generation), "%s",
	    generation);
	if (*name)
		snprintf(identity->name, sizeof(identity->name), "%s", name);
out:
	json_decref(root);
	return err;
}

/* What speaks to the collector never sees the key. */
static int exchange(struct agent_identity *identity,
    const struct agent_config *config, const struct enrolment *request,
    struct errmsg *msg)
{
	static struct shipper_start start;
	static struct shipper_answer answer;
	int err =
	    shipper_start_init(&start, request->url, config->ca_file, msg);
	if (err)
		return err;
	start.job = SHIPPER_POST;
	start.log_level = (uint32_t)config->log_level;
	start.uid = config->uid;
	start.gid = config->gid;
	start.allow_weak_sandbox = config->allow_weak_sandbox;
	snprintf(start.path, sizeof(start.path), "/api/v1/enrol");
	json_t *json = request_json(identity, request->token);
	size_t len =
	    json_dumpb(json, start.body, sizeof(start.body) - 1, JSON_COMPACT);
	json_decref(json);
	if (len == 0 || len >= sizeof(start.body))
		return err_set(msg, ERR_USAGE, "token: this is not a token");
	err = shipper_ask(&start, &answer, msg);
	return err ? err : read_answer(identity, &answer, msg);
}

int enrol(const struct agent_config *config, const struct enrolment *request,
    struct agent_identity *identity, struct errmsg *msg)
{
	memset(identity, 0, sizeof(*identity));
	if (sodium_init() < 0)
		return err_set(
		    msg, ERR_UNSUPPORTED, "libsodium does not start");
	int err = url_check(request->url, msg);
	if (err < 0)
		return err;
	err = choose_name(identity, config, request->name, msg);
	if (err < 0)
		return err;
	err = agent_folders_make(config, msg);
	if (err < 0)
		return err;
	err = choose_key(identity, config, msg);
	if (err < 0)
		return err;
	err = exchange(identity, config, request, msg);
	if (err < 0)
		return err;
	snprintf(identity->collector, sizeof(identity->collector), "%s",
	    request->url);
	return agent_identity_save(identity, config, msg);
}
