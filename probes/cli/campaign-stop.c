/* SPDX-License-Identifier: ISC */
/* `sonde campaigns --stop ID`: the one question that changes something where
 * its neighbours only list. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "probes/cli/api-client.h"
#include "probes/cli/campaign-stop.h"

int campaigns_end_one(const struct option_values *values, const char *id)
{
	struct api_client *client = NULL;
	struct errmsg msg = { "" };
	json_t *answer = NULL;
	char *path = xasprintf("/api/v1/campaigns/%s", id);
	int err = client_open(&client, values, &msg);
	if (err < 0)
		goto out;
	err = client_ask(client, "DELETE", path, NULL, &answer, &msg);
	if (err < 0)
		goto out;
	if (option_flag(values, "json"))
		err = client_print_json("sonde-campaign/1", answer, &msg);
	else
		printf("stopped %s\n", id);
out:
	json_decref(answer);
	client_close(client);
	free(path);
	return err ? command_fail("campaigns", err, &msg) : 0;
}
