/* SPDX-License-Identifier: ISC */
/* What the test's own kind was asked to do. */
#pragma once

#define ECHO_MOST 1000u

extern struct echo_calls {
	unsigned announced; /* their values summed up */
} echo_calls;
