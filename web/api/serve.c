/* SPDX-License-Identifier: ISC */
/* The life of the program: a collector, its HTTP face, a signal. */

#include "web/api/serve.h"
#include "collector/collector.h"

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>

#include "collector/core/config.h"
#include "lib/base/log.h"
#include "web/http/server.h"

int web_serve_check(const struct config *config, struct errmsg *msg)
{
	int err = collector_config_check(config, msg);
	return err < 0 ? err : web_config_check(config, msg);
}

/* Signals blocked in every thread from the start: only sigwait sees them. */
static void set_process(sigset_t *set)
{
	umask(077); /* what we keep is nobody else's to read */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	pthread_sigmask(SIG_BLOCK, set, NULL);
}

int web_serve(const struct config *config, bool anew, struct errmsg *msg)
{
	struct collector_config settings;
	struct web_config face;
	struct collector *collector;
	struct web *web;
	sigset_t signals;
	int number;
	collector_config_read(&settings, config);
	settings.new_database = anew;
	web_config_read(&face, config);
	set_process(&signals);
	int err = collector_open(&collector, &settings, msg);
	if (err < 0)
		return err;
	err = web_start(&web, &face, collector, msg);
	if (err == ERR_OK) {
		for (size_t i = 0; web_url(web, i); i++)
			log_info("serving %s", web_url(web, i));
		sigwait(&signals, &number);
		log_info("stopping: signal %d", number);
		web_stop(web);
	}
	collector_close(collector);
	return err;
}
