/* SPDX-License-Identifier: ISC */
/*
 * SQLite over files that end the process: a VFS that counts every write, sync,
 * truncation and deletion, and at one of them kills the process with SIGKILL.
 * With `lose` it first takes back what was written and not synced, as a power
 * cut may: in all files, or only in those whose name holds a text.
 */
#pragma once

#include <stdbool.h>

enum kill_lose {
	KILL_LOSES_NOTHING, /* the kernel lives and writes it out */
	KILL_LOSES_ALL,
	KILL_LOSES_NAMED, /* files whose path holds the text */
	KILL_LOSES_OTHERS /* all but those */
};

/* Becomes the default of this process.  at: the number of the operation that
 * does not happen any more, from 1; 0: none. */
void kill_vfs_install(unsigned at, enum kill_lose lose, const char *text);
/* How many operations there were. */
unsigned kill_vfs_count(void);
