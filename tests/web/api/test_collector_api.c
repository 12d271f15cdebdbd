/* SPDX-License-Identifier: ISC */
/* Who a request's caller is, and what that principal may do. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "collector/core/principal.h"
#include "tests/web/fake-collector.h"
#include "web/api/collector-api.h"
#include "web/http/request.h"

static struct api *api;

static int setup(void **state)
{
	struct errmsg msg;
	(void)state;
	fake_reset();
	return api_open(&api, fake_collector(), &msg);
}

static int teardown(void **state)
{
	(void)state;
	api_stop(api);
	api_close(api);
	return 0;
}

static void expect(
    const char *authorization, bool is_reader, enum scope scope, unsigned roles)
{
	const struct application *app = api_application(api);
	struct request request = { .app = app };
	request.headers[HEADER_AUTHORIZATION] = authorization;
	struct caller caller = app->identify(app->ctx, &request, is_reader);
	assert_int_equal(caller.scope, scope);
	assert_int_equal(caller.principal->roles, roles);
	assert_int_equal(caller.principal->network_count, 0);
	assert_true(caller.principal->account[0] != '\0');
}

static void a_token_or_the_way_in_makes_the_principal(void **state)
{
	const unsigned all = ROLE_READ | ROLE_OPERATE | ROLE_ADMIN;
	(void)state;
	expect(NULL, false, SCOPE_OPEN, 0);
	expect(NULL, true, SCOPE_READ, ROLE_READ);
	expect("Bearer wrong", false, SCOPE_OPEN, 0);
	expect("Bearer wrong", true, SCOPE_READ, ROLE_READ);
	expect("Bearer secret", false, SCOPE_WRITE, all);
	expect("Bearer secret", true, SCOPE_WRITE, all);
	expect("Basic secret", false, SCOPE_OPEN, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_or_the_way_in_makes_the_principal),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
