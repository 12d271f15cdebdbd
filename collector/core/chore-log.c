/* SPDX-License-Identifier: ISC */
#include "collector/core/chore-log.h"

#include <string.h>

#include "lib/base/log.h"

bool chore_log(
    struct chore_log *log, const char *name, int err, const struct errmsg *msg)
{
	if (err < 0) {
		if (strcmp(log->reported.text, msg->text) == 0)
			return false;
		log->reported = *msg;
		log_warn("%s: %s", name, msg->text);
		return true;
	}
	if (log->reported.text[0] == '\0')
		return false;
	log->reported.text[0] = '\0';
	log_info("%s: works again", name);
	return true;
}
