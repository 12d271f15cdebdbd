/* SPDX-License-Identifier: ISC */
/* Ceilings that hold even where the other layers would let something by. */
#include <errno.h>
#include <string.h>

#include "probes/sandbox/layers.h"

int rlimits_enter(const struct rlimits_row *rows, struct errmsg *msg)
{
	for (; rows->resource >= 0; rows++) {
		struct rlimit now, want = { rows->most, rows->most };
		if (SANDBOX_SANITIZED && rows->resource == RLIMIT_AS)
			continue; /* the shadow is terabytes */
		if (getrlimit(rows->resource, &now) == 0 &&
		    now.rlim_max < want.rlim_max)
			want.rlim_cur = want.rlim_max = now.rlim_max;
		if (setrlimit(rows->resource, &want) != 0)
			return err_set(msg, -errno, "rlimits: limit %d: %s",
			    rows->resource, strerror(errno));
	}
	return 0;
}
