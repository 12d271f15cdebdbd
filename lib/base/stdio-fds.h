/* SPDX-License-Identifier: ISC */
/*
 * Descriptors 0, 1 and 2, for programs that were started without them: what
 * is opened next would take their place, and a log line would be written into
 * a socket or a file of ours.
 */
#pragma once

/* Fills the holes with what fails when it is used: 0 cannot be read, 1 and 2
 * cannot be written.  Returns 0 or a negative errno. */
int standard_fds_open(void);
