/* SPDX-License-Identifier: ISC */
/* What an agent remembers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/xalloc.h"
#include "probes/agent/config/agent-config.h"
#include "probes/agent/supervisor/oneshot-log.h"

static char dir[32];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/sonde-state-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char *command = xasprintf("rm -rf %s", dir);
	(void)state;
	int r = system(command);
	free(command);
	return r;
}

static void once_is_remembered_over_a_restart(void **state)
{
	char *path = xasprintf("%s/once", dir);
	uint8_t a[16] = { 1 }, b[16] = { 2 };
	struct once *o;
	(void)state;
	assert_int_equal(once_open(&o, path, NULL), 0);
	assert_false(once_has(o, a));
	assert_int_equal(once_add(o, a, NULL), 0);
	assert_true(once_has(o, a));
	once_close(o);
	/* A torn write of the next one. */
	FILE *f = fopen(path, "a");
	fwrite("torn", 1, 4, f);
	fclose(f);
	assert_int_equal(once_open(&o, path, NULL), 0);
	assert_true(once_has(o, a));
	assert_int_equal(once_add(o, b, NULL), 0);
	once_close(o);
	assert_int_equal(once_open(&o, path, NULL), 0);
	assert_true(once_has(o, a) && once_has(o, b));
	once_close(o);
	free(path);
}

static void once_is_bounded_and_forgets_the_oldest(void **state)
{
	char *path = xasprintf("%s/once", dir);
	struct once *o;
	uint8_t id[16] = { 0 };
	(void)state;
	assert_int_equal(once_open(&o, path, NULL), 0);
	for (int i = 0; i <= ONCE_MOST; i++) {
		id[0] = (uint8_t)i;
		id[1] = (uint8_t)(i >> 8);
		assert_int_equal(once_add(o, id, NULL), 0);
	}
	assert_true(once_has(o, id));
	memset(id, 0, sizeof(id));
	assert_false(once_has(o, id));
	once_close(o);
	free(path);
}

static void load(struct agent_config *config, const char *more)
{
	char *path = xasprintf("%s/agent.conf", dir);
	struct errmsg msg = { "" };
	FILE *f = fopen(path, "w");
	fprintf(f, "state-dir = \"%s\"\n%s", dir, more);
	fclose(f);
	if (agent_config_load(config, path, &msg) != 0)
		fail_msg("%s", msg.text);
	free(path);
}

static void an_identity_is_kept_and_its_key_is_private(void **state)
{
	struct agent_config config;
	struct agent_identity in = { .id = { 1, 2 },
		.secret_key = { 3, 4 },
		.name = "left",
		.collector = "https://c.example",
		.generation = "ab" },
			      out;
	struct stat st;
	char *key = xasprintf("%s/agent.key", dir);
	(void)state;
	load(&config, "");
	assert_int_equal(agent_identity_load(&out, dir, NULL), ERR_NOT_FOUND);
	assert_int_equal(agent_key_load(out.secret_key, dir, NULL), -ENOENT);
	assert_int_equal(agent_key_save(&in, &config, NULL), 0);
	assert_int_equal(agent_identity_save(&in, &config, NULL), 0);
	assert_int_equal(agent_identity_load(&out, dir, NULL), 0);
	assert_memory_equal(&in, &out, sizeof(in));
	assert_int_equal(stat(key, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(chmod(key, 0640), 0);
	assert_int_equal(agent_identity_load(&out, dir, NULL), ERR_CONFIG);
	assert_int_equal(truncate(key, 20), 0);
	assert_int_equal(chmod(key, 0600), 0);
	assert_int_equal(agent_identity_load(&out, dir, NULL), ERR_CORRUPT);
	agent_config_fini(&config);
	free(key);
}

static void a_wrong_value_is_refused_before_anything_starts(void **state)
{
	static const char *const bad[] = { "collector = \"http://example.net\"",
		"collector = \"ftp://127.0.0.1\"", "collector = \"x\"",
		"home-prefixes = {\"192.0.2.1/24\"}", "user = \"root\"",
		"user = \"no-such-user-at-all\"", "net = \"moon\"",
		"heartbeat = \"1ms\"", "max-runs = 0", "spool-size = \"1k\"",
		"retry-most = \"1ms\"", "unknown = 1" };
	char *path = xasprintf("%s/agent.conf", dir);
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct agent_config config;
		struct errmsg msg = { "" };
		FILE *f = fopen(path, "w");
		fprintf(f, "%s\n", bad[i]);
		fclose(f);
		if (strncmp(bad[i], "user", 4) == 0 && geteuid() != 0)
			continue;
		if (agent_config_load(&config, path, &msg) == 0)
			fail_msg("was taken: %s", bad[i]);
		assert_true(msg.text[0] != '\0');
	}
	free(path);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
	const struct CMUnitTest tests[] = {
		TEST(once_is_remembered_over_a_restart),
		TEST(once_is_bounded_and_forgets_the_oldest),
		TEST(an_identity_is_kept_and_its_key_is_private),
		TEST(a_wrong_value_is_refused_before_anything_starts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
