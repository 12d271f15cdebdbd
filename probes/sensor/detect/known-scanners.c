/* SPDX-License-Identifier: ISC */
/* Sorted by prefix; an address is looked for once for each length that
 * occurs, the longest first.  That is done for findings, not for packets. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "probes/sensor/detect/known-scanners.h"

#define LINE_MAX_LEN 256

struct known_scanner {
	struct prefix prefix;
	unsigned line;
	char name[KNOWN_SCANNER_NAME_MAX + 1];
};

struct known_scanners {
	struct known_scanner *rows;
	size_t count, room;
	bool lengths[2][129]; /* of IPv4, IPv6 */
};

static int compare_prefixes(const struct prefix *a, const struct prefix *b)
{
	int order = addr_cmp(&a->addr, &b->addr);
	return order ? order : (int)a->len - (int)b->len;
}

static int compare_rows(const void *a, const void *b)
{
	return compare_prefixes(&((const struct known_scanner *)a)->prefix,
	    &((const struct known_scanner *)b)->prefix);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* What every report can show as it is. */
static bool is_name_octet(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != ',';
}

/* line is terminated, and changed. */
static int parse_line(struct known_scanners *k, char *line, unsigned number,
    const char *path, struct errmsg *msg)
{
	char *end = line + strlen(line);
	while (end > line && is_blank(end[-1]))
		*--end = '\0';
	while (is_blank(*line))
		line++;
	if (*line == '\0' || *line == '#')
		return 0;
	char *name = line + strcspn(line, " \t");
	if (*name)
		*name++ = '\0';
	while (is_blank(*name))
		name++;
	struct known_scanner row = { .line = number };
	if (prefix_parse(&row.prefix, line, msg) != 0) {
		err_prefix(msg, "%s:%u", path, number);
		return ERR_CONFIG;
	}
	size_t len = strlen(name);
	if (len == 0 || len > KNOWN_SCANNER_NAME_MAX)
		return err_set(msg, ERR_CONFIG,
		    "%s:%u: expected a name of 1 to %d octets behind %s, got "
		    "%zu",
		    path, number, KNOWN_SCANNER_NAME_MAX, line, len);
	for (size_t i = 0; i < len; i++)
		if (!is_name_octet(name[i]))
			return err_set(msg, ERR_CONFIG,
			    "%s:%u: expected a name in ASCII without quotes, "
			    "backslash and comma, got octet 0x%02x",
			    path, number, (unsigned char)name[i]);
	if (k->count == KNOWN_SCANNERS_MAX)
		return err_set(msg, ERR_LIMIT, "%s:%u: more than %d prefixes",
		    path, number, KNOWN_SCANNERS_MAX);
	memcpy(row.name, name, len + 1);
	if (k->count == k->room) {
		k->room = k->room ? k->room * 2 : 64;
		k->rows = xreallocarray(k->rows, k->room, sizeof(*k->rows));
	}
	k->rows[k->count++] = row;
	k->lengths[row.prefix.addr.family == 6][row.prefix.len] = true;
	return 0;
}

/* The same twice is one; with two names nobody can say which. */
static int drop_doubles(
    struct known_scanners *k, const char *path, struct errmsg *msg)
{
	size_t kept = 0;
	if (k->count > 1)
		qsort(k->rows, k->count, sizeof(*k->rows), compare_rows);
	for (size_t i = 0; i < k->count; i++) {
		struct known_scanner *last = kept ? &k->rows[kept - 1] : NULL;
		if (last && compare_rows(last, &k->rows[i]) == 0) {
			if (strcmp(last->name, k->rows[i].name) != 0)
				return err_set(msg, ERR_CONFIG,
				    "%s:%u: the prefix of line %u, named "
				    "\"%s\" there",
				    path, k->rows[i].line, last->line,
				    last->name);
			continue;
		}
		k->rows[kept++] = k->rows[i];
	}
	k->count = kept;
	return 0;
}

int known_scanners_parse(struct known_scanners **scanners, const char *text,
    size_t len, const char *path, struct errmsg *msg)
{
	struct known_scanners *k = xcalloc(1, sizeof(*k));
	unsigned number = 0;
	int err = 0;
	*scanners = NULL;
	while (len > 0 && err == 0) {
		char line[LINE_MAX_LEN + 1];
		const char *end = memchr(text, '\n', len);
		size_t octets = end ? (size_t)(end - text) : len;
		number++;
		if (octets > LINE_MAX_LEN || memchr(text, '\0', octets)) {
			err = err_set(msg, ERR_CONFIG,
			    "%s:%u: expected a line of text of at most %d "
			    "octets",
			    path, number, LINE_MAX_LEN);
			break;
		}
		memcpy(line, text, octets);
		line[octets] = '\0';
		err = parse_line(k, line, number, path, msg);
		octets += end != NULL;
		text += octets;
		len -= octets;
	}
	if (err == 0)
		err = drop_doubles(k, path, msg);
	if (err != 0) {
		known_scanners_free(k);
		return err;
	}
	*scanners = k;
	return 0;
}

/* As long as a full list of longest lines. */
#define FILE_MOST ((size_t)KNOWN_SCANNERS_MAX * 128)

int known_scanners_read(
    struct known_scanners **scanners, const char *path, struct errmsg *msg)
{
	size_t len = 0, room = 4096;
	*scanners = NULL;
	FILE *f = fopen(path, "re");
	if (!f)
		return err_set(msg, -errno, "%s: %s", path, strerror(errno));
	char *text = xmalloc(room);
	int err = 0;
	while (err == 0 && !feof(f)) {
		if (len == room) {
			room *= 2;
			text = xreallocarray(text, room, 1);
		}
		errno = 0;
		len += fread(text + len, 1, room - len, f);
		if (ferror(f))
			err = err_set(msg, errno ? -errno : -EIO, "%s: %s",
			    path, strerror(errno ? errno : EIO));
		else if (len > FILE_MOST)
			err = err_set(msg, ERR_LIMIT,
			    "%s: longer than %zu octets", path, FILE_MOST);
	}
	fclose(f);
	if (err == 0)
		err = known_scanners_parse(scanners, text, len, path, msg);
	free(text);
	return err;
}

void known_scanners_free(struct known_scanners *k)
{
	if (!k)
		return;
	free(k->rows);
	free(k);
}

size_t known_scanners_count(const struct known_scanners *k)
{
	return k ? k->count : 0;
}

static const struct known_scanner *find_prefix(
    const struct known_scanners *k, const struct prefix *prefix)
{
	size_t low = 0, high = k->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = compare_prefixes(&k->rows[middle].prefix, prefix);
		if (order == 0)
			return &k->rows[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const char *known_scanners_find(
    const struct known_scanners *k, const struct addr *addr)
{
	if (!k || addr->family == 0)
		return NULL;
	const bool *lengths = k->lengths[addr->family == 6];
	for (unsigned len = addr_bits(addr) + 1; len-- > 0;) {
		if (!lengths[len])
			continue;
		struct prefix prefix = prefix_of(addr, len);
		const struct known_scanner *row = find_prefix(k, &prefix);
		if (row)
			return row->name;
	}
	return NULL;
}
