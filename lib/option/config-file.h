/* SPDX-License-Identifier: ISC */
/*
 * Configuration files: `key = value` lines and `key = {a, b}` lists, read by
 * libconfuse against the same rows that describe options (lib/option/option.h).
 * An unknown key, a wrong type or a value out of range is an error that names
 * file and line and, for a key, the nearest known one.
 */
#pragma once

#include "lib/option/option.h"

/* A row table that ends with a row without a name.  A missing file is an
 * error (-ENOENT); a missing key takes its row's default. */
struct config;
int config_load(struct config **config, const struct option_row *rows,
    const char *path, struct errmsg *msg);
/* The same for a path that was not asked for: without the file, every key takes
 * its default. */
int config_load_default(struct config **config, const struct option_row *rows,
    const char *path, struct errmsg *msg);
/* The same from text; name stands for the file in errors. */
int config_parse(struct config **config, const struct option_row *rows,
    const char *text, const char *name, struct errmsg *msg);
void config_free(struct config *config);

bool config_given(const struct config *config, const char *key);
bool config_flag(const struct config *config, const char *key);
int64_t config_integer(const struct config *config, const char *key);
double config_number(const struct config *config, const char *key);
int64_t config_duration_ns(const struct config *config, const char *key);
uint64_t config_size(const struct config *config, const char *key);
const char *config_text(const struct config *config, const char *key);
size_t config_list(
    const struct config *config, const char *key, const char *const **items);
/* Puts "FILE:LINE: " before what msg says, where the key's value stands (of a
 * list: its index'th item), or "FILE: " when the file does not give it. */
void config_blame(const struct config *config, const char *key, size_t index,
    struct errmsg *msg);
/* Every key with its value, one a line, as a file that would load the same.
 * The caller frees. */
char *config_print(const struct config *config);
