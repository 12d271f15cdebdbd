/* SPDX-License-Identifier: ISC */
/* A spool's folder with any content, for fuzz_spool. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Made once, removed at exit. */
void spool_folder_make(char dir[static 64]);
void spool_folder_wipe(const char *dir);
void spool_folder_put(
    const char *dir, const char *name, const uint8_t *bytes, size_t len);
/* Opens it, reads all, appends, closes; how many records were there.  Aborts
 * when any of that fails, or when a record is read twice. */
uint64_t spool_folder_judge(const char *dir);
