/* SPDX-License-Identifier: ISC */
#include "collector/core/chore-log.h"

#include <string.h>

#include "lib/base/log.h"

bool chore_log(
    struct chore_log *log, const char *name, int err, const struct errmsg *msg)
{
	if (err < 0) {
		if (strcmp(log->said.text, msg->text) == 0)
			return false;
		log->said = *msg;
		log_warn("%s: %s", name, msg->text);
		return true;
	}
	if (log->said.text[0] == '\0')
		return false;
	log->said.text[0] = '\0';
	log_info("%s: works again", name);
	return true;
}
