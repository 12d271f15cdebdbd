/* SPDX-License-Identifier: ISC */
/* Tokens, keys, signed requests, the administrator. */
#include "collector/core/agent-table.h"
#include "collector/core/generation.h"
#include "collector/collector.h"
#include "collector/core/admin-token.h"
#include "tests/collector/fixture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "collector/fleet/enrol.h"

static char *new_token(struct fixture *f, const char *body)
{
	struct errmsg msg = { "" };
	json_t *answer = NULL, *ask = body ? json_loads(body, 0, NULL) : NULL;
	if (enrol_token_new(f->c, &fixture_admin, ask, &answer, &msg) < 0)
		fail_msg("token: %s", msg.text);
	char *token =
	    strdup(json_string_value(json_object_get(answer, "token")));
	assert_non_null(json_object_get(answer, "expires_at"));
	json_decref(ask);
	json_decref(answer);
	return token;
}

/* Consumes body. */
static int enrol(struct fixture *f, json_t *body, json_t **answer)
{
	struct errmsg msg = { "" };
	json_t *got = NULL;
	int err = enrol_agent(f->c, body, &got, &msg);
	json_decref(body);
	if (answer)
		*answer = got;
	else
		json_decref(got);
	return err;
}

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void a_token_makes_an_agent_once(void **state)
{
	struct fixture *f = *state;
	struct synth agent, thief;
	json_t *answer;
	char *token = new_token(f, "{\"tags\": [\"x\", \"y\"]}");
	synth_new(&agent);
	assert_int_equal(
	    enrol(f, synth_enrol_body(&agent, token, "lab-1"), &answer), 0);
	assert_string_equal(text(answer, "name"), "lab-1");
	assert_string_equal(
	    text(answer, "generation"), collector_generation(f->c));
	assert_int_equal(json_array_size(json_object_get(answer, "tags")), 2);
	char id[33];
	synth_hex(id, agent.id, sizeof(agent.id));
	assert_string_equal(text(answer, "agent"), id);
	json_decref(answer);

	synth_new(&thief);
	assert_int_equal(
	    enrol(f, synth_enrol_body(&thief, token, "lab-2"), NULL),
	    ERR_DENIED);
	assert_int_equal(
	    fixture_sql(f, "SELECT count(*) FROM registry.agents"), 1);
	free(token);
	synth_fini(&agent);
	synth_fini(&thief);
}

static void an_answer_that_was_not_heard_is_given_again(void **state)
{
	struct fixture *f = *state;
	struct synth agent;
	json_t *answer;
	char *token = new_token(f, NULL);
	synth_new(&agent);
	assert_int_equal(
	    enrol(f, synth_enrol_body(&agent, token, "a"), NULL), 0);
	fixture_reopen(f);
	assert_int_equal(
	    enrol(f, synth_enrol_body(&agent, token, "a"), &answer), 0);
	assert_string_equal(text(answer, "name"), "a");
	json_decref(answer);
	assert_int_equal(
	    fixture_sql(f, "SELECT count(*) FROM registry.agents"), 1);
	free(token);
	synth_fini(&agent);
}

static void old_and_invented_tokens_are_denied(void **state)
{
	struct fixture *f = *state;
	struct synth agent;
	synth_new(&agent);
	char *token = new_token(f, "{\"ttl_s\": 60}");
	fixture_sleep(f, 61 * NS_PER_S);
	assert_int_equal(
	    enrol(f, synth_enrol_body(&agent, token, "a"), NULL), ERR_DENIED);
	assert_int_equal(enrol(f,
			     synth_enrol_body(&agent,
				 "00000000000000000000000000000000", "a"),
			     NULL),
	    ERR_DENIED);
	free(token);
	synth_fini(&agent);
}

static void a_token_may_bind_the_name(void **state)
{
	struct fixture *f = *state;
	struct synth agent;
	json_t *answer;
	char *token = new_token(f, "{\"name\": \"given\"}");
	synth_new(&agent);
	assert_int_equal(
	    enrol(f, synth_enrol_body(&agent, token, "wanted"), &answer), 0);
	assert_string_equal(text(answer, "name"), "given");
	json_decref(answer);
	free(token);
	synth_fini(&agent);
}

static void names_and_keys_are_taken_once(void **state)
{
	struct fixture *f = *state;
	struct synth one, two;
	char *tokens[3] = { new_token(f, NULL), new_token(f, NULL),
		new_token(f, NULL) };
	synth_new(&one);
	synth_new(&two);
	assert_int_equal(
	    enrol(f, synth_enrol_body(&one, tokens[0], "a"), NULL), 0);
	assert_int_equal(
	    enrol(f, synth_enrol_body(&two, tokens[1], "a"), NULL), -EEXIST);
	assert_int_equal(
	    enrol(f, synth_enrol_body(&one, tokens[2], "b"), NULL), -EEXIST);
	/* What failed did not spend the token. */
	assert_int_equal(
	    enrol(f, synth_enrol_body(&two, tokens[1], "b"), NULL), 0);
	for (int i = 0; i < 3; i++)
		free(tokens[i]);
	synth_fini(&one);
	synth_fini(&two);
}

static void the_error_for_a_wrong_body_names_what_is_wrong(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *key, *value;
		int err;
	} wrong[] = {
		{ "name", "no spaces", ERR_USAGE },
		{ "name", "", ERR_USAGE },
		{ "name", "other-than-signed", ERR_SIGNATURE },
		{ "version", NULL, ERR_USAGE },
		{ "public_key", "12", ERR_USAGE },
		{ "signature", "zz", ERR_USAGE },
		{ "token", NULL, ERR_USAGE },
		{ "extra", "x", ERR_USAGE },
	};
	char *token = new_token(f, NULL);
	struct synth agent;
	synth_new(&agent);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		json_t *body = synth_enrol_body(&agent, token, "a");
		json_object_set_new(body, wrong[i].key,
		    wrong[i].value ? json_string(wrong[i].value) : json_null());
		assert_int_equal(enrol(f, body, NULL), wrong[i].err);
	}
	assert_int_equal(enrol(f, json_array(), NULL), ERR_USAGE);
	free(token);
	synth_fini(&agent);
}

static void wrong_token_bodies_are_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const wrong[] = { "[]", "{\"ttl_s\": 0}",
		"{\"ttl_s\": \"60\"}", "{\"ttl_s\": 99999999}",
		"{\"tags\": \"x\"}", "{\"tags\": [1]}", "{\"tags\": [\"a b\"]}",
		"{\"name\": \"/\"}", "{\"name\": 3}", "{\"surprise\": 1}" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct errmsg msg = { "" };
		json_t *answer = NULL;
		json_t *body = json_loads(wrong[i], 0, NULL);
		assert_int_equal(
		    enrol_token_new(f->c, &fixture_admin, body, &answer, &msg),
		    ERR_USAGE);
		assert_true(msg.text[0] != '\0');
		json_decref(body);
	}
}

static int check(struct fixture *f, const struct synth *agent, int64_t time_ns,
    const char *signed_target, const char *target)
{
	char id[33], time_text[24], signature[129];
	uint8_t got[AGENT_ID_LEN];
	struct errmsg msg;
	synth_hex(id, agent->id, sizeof(agent->id));
	snprintf(time_text, sizeof(time_text), "%" PRId64, time_ns);
	synth_sign_work(agent, time_text, signed_target, signature);
	struct enrol_request request = { id, time_text, signature, target };
	return enrol_check_request(f->c, &request, got, &msg);
}

static void a_signed_request_counts_for_its_target_and_time(void **state)
{
	struct fixture *f = *state;
	struct synth agent, stranger;
	static const char path[] = "/api/v1/work?after=3";
	int64_t now = f->now_ns;
	fixture_enrol(f, &agent, "a", NULL);
	synth_new(&stranger);
	assert_int_equal(check(f, &agent, now, path, path), 0);
	assert_int_equal(check(f, &agent, now - 299 * NS_PER_S, path, path), 0);
	assert_int_equal(
	    check(f, &agent, now - 301 * NS_PER_S, path, path), -ETIME);
	assert_int_equal(
	    check(f, &agent, now + 301 * NS_PER_S, path, path), -ETIME);
	assert_int_equal(
	    check(f, &agent, now, path, "/api/v1/work?after=4"), ERR_SIGNATURE);
	assert_int_equal(
	    check(f, &stranger, now, path, path), ERR_UNKNOWN_AGENT);
	struct enrol_request none = { NULL, NULL, NULL, path };
	uint8_t id[AGENT_ID_LEN];
	assert_int_equal(
	    enrol_check_request(f->c, &none, id, NULL), ERR_UNKNOWN_AGENT);
	synth_fini(&agent);
	synth_fini(&stranger);
}

static void nothing_secret_is_in_the_database(void **state)
{
	struct fixture *f = *state;
	char command[256];
	char *token = new_token(f, NULL);
	fixture_close(f);
	snprintf(command, sizeof(command), "! grep -q %s %s/sonde.db*", token,
	    f->dir);
	assert_int_equal(system(command), 0);
	fixture_open(f);
	free(token);
}

static void the_admin_token_is_made_once_and_kept_private(void **state)
{
	struct fixture *f = *state;
	char path[96], token[80] = "";
	struct stat st;
	struct errmsg msg;
	snprintf(path, sizeof(path), "%s/admin.token", f->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	FILE *file = fopen(path, "r");
	assert_non_null(fgets(token, sizeof(token), file));
	fclose(file);
	token[strcspn(token, "\n")] = '\0';
	assert_true(admin_token_matches(f->c, token));
	fixture_reopen(f);
	assert_true(admin_token_matches(f->c, token));
	token[10] ^= 1;
	assert_false(admin_token_matches(f->c, token));
	assert_false(admin_token_matches(f->c, ""));
	assert_false(admin_token_matches(f->c, NULL));
	fixture_close(f);
	chmod(path, 0644);
	assert_int_equal(collector_open(&f->c, &f->config, &msg), ERR_CONFIG);
	f->c = NULL;
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_makes_an_agent_once),
		TEST(an_answer_that_was_not_heard_is_given_again),
		TEST(old_and_invented_tokens_are_denied),
		TEST(a_token_may_bind_the_name),
		TEST(names_and_keys_are_taken_once),
		TEST(the_error_for_a_wrong_body_names_what_is_wrong),
		TEST(wrong_token_bodies_are_refused),
		TEST(a_signed_request_counts_for_its_target_and_time),
		TEST(nothing_secret_is_in_the_database),
		TEST(the_admin_token_is_made_once_and_kept_private),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
