/* SPDX-License-Identifier: ISC */
/* The keeper as a process: locked in its folder, until SIGTERM. */
#include <signal.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "probes/agent/keeper/keeper.h"
#include "probes/ipc/process.h"

#define IDLE_NS (3600 * NS_PER_S)

static int loop(
    struct keeper *keeper, const sigset_t *open_mask, struct errmsg *msg)
{
	int err = 0;
	while (!err && !process_asked_to_end())
		err = keeper_step(keeper, monotime_add(monotime_now(), IDLE_NS),
		    open_mask, msg);
	return err ? err : keeper_drain(keeper, msg);
}

int keeper_main(const struct keeper_config *config)
{
	const char *const write_paths[] = { config->spool.dir, NULL };
	struct sandbox_paths paths = {
		.write = write_paths, .uid = config->uid, .gid = config->gid
	};
	struct keeper *keeper;
	struct errmsg msg;
	const sigset_t *open_mask = process_signals();
	int err = process_enter(
	    SANDBOX_KEEPER, &paths, config->allow_weak_sandbox, &msg);
	if (!err)
		err = keeper_open(&keeper, config, &msg);
	if (!err) {
		err = loop(keeper, open_mask, &msg);
		keeper_close(keeper);
	}
	if (err)
		log_error("%s", msg.text);
	return err_exit_code(err);
}
