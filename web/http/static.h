/* SPDX-License-Identifier: ISC */
/*
 * The pages: files that the build put into the program, or those of a folder
 * (--web-root).  A path that names no file and has no dot in its last segment
 * is a permalink into the pages and gets index.html.
 */
#pragma once

#include "lib/base/err.h"
#include "web/http/request.h"

struct asset;
struct pages;

/* root NULL: the files in the program, the application's. */
int pages_open(struct pages **pages, const char *root, struct errmsg *msg);
void pages_close(struct pages *pages);

/* Answers with these bytes, packed for a client that takes gzip. */
void static_asset(struct request *request, const struct asset *asset);
/* The page or file of the request's path. */
void static_answer(struct request *request, const struct pages *pages);
