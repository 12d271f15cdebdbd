/* SPDX-License-Identifier: ISC */
/*
 * Scanners that say who they are: research projects and search engines, whose
 * scans are no attack.  A list that the operator keeps:
 *
 *     # a comment
 *     192.0.2.0/24        Example University
 *     2001:db8:77::/48    Example University
 */
#pragma once

#include <stddef.h>

#include "lib/base/addr.h"
#include "lib/base/err.h"

#define KNOWN_SCANNERS_MAX 65536 /* prefixes */
#define KNOWN_SCANNER_NAME_MAX 63

struct known_scanners;

/* From a file; the error names the line.  One prefix twice with two names is
 * an error, one inside another is not.  ERR_LIMIT beyond the bounds above. */
int known_scanners_read(
    struct known_scanners **scanners, const char *path, struct errmsg *msg);
/* The same from text of len octets; `path` is for errors alone. */
int known_scanners_parse(struct known_scanners **scanners, const char *text,
    size_t len, const char *path, struct errmsg *msg);
void known_scanners_free(struct known_scanners *scanners);

size_t known_scanners_count(const struct known_scanners *scanners);
/* The name of the longest prefix that has the address, or NULL; also for NULL
 * scanners.  It lives as long as the list. */
const char *known_scanners_find(
    const struct known_scanners *scanners, const struct addr *addr);
