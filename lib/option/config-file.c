/* SPDX-License-Identifier: ISC */
/*
 * Configuration files.  libconfuse gives tokens, lists, quoting and ${NAME}
 * from the environment; every key is text to it, and the rows decide what the
 * text means.  Its line count goes wrong after a comment, so comments are
 * blanked before it sees them.
 */
#include <confuse.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/option/config-file.h"
#include "lib/option/option-value.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

enum { CONFIG_MAX_BYTES = 1 << 20 };

struct place { /* of a value in the file */
	size_t row, index;
	int line;
};
struct config {
	const struct option_row *rows; /* borrowed */
	struct option_value *values;   /* one a row */
	char *name;                    /* of the file, for errors */
	struct place *places;          /* the last one of a value counts */
	size_t place_count;
};

/* What libconfuse's callbacks need and have no argument for. */
struct parse {
	struct config *config;
	const char *name;
	struct errmsg *msg;
	int err;
};
static _Thread_local struct parse *current;

/* Puts spaces for comments and keeps every newline. */
static void comments_blank(char *text)
{
	char quote = 0, before = '\n';
	for (char *p = text; *p; before = *p++) {
		bool starts = strchr(" \t\r\n={},+", before) != NULL;
		if (quote) {
			if (*p == '\\' && p[1])
				p++;
			else if (*p == quote)
				quote = 0;
		} else if (*p == '"' || *p == '\'') {
			quote = *p;
		} else if (*p == '#' ||
		    (starts && p[0] == '/' && p[1] == '/')) {
			while (p[1] && p[1] != '\n')
				*p++ = ' ';
			*p = ' ';
		} else if (starts && p[0] == '/' && p[1] == '*') {
			char *end = strstr(p + 2, "*/");
			if (!end)
				return;
			for (; p < end + 1; p++)
				if (*p != '\n')
					*p = ' ';
			*p = ' ';
		}
	}
}

static void unknown_key(struct parse *parse, int line, const char *key)
{
	size_t n = option_row_count(parse->config->rows);
	const char **names = xcalloc(n, sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = parse->config->rows[i].name;
	const char *near = option_nearest(key, names, n);
	if (near)
		parse->err = err_set(parse->msg, ERR_CONFIG,
		    "%.100s:%d: unknown key '%.40s', did you mean '%s'?",
		    parse->name, line, key, near);
	else
		parse->err = err_set(parse->msg, ERR_CONFIG,
		    "%.100s:%d: unknown key '%.40s'", parse->name, line, key);
	free(names);
}

/* libconfuse would print; the first of its complaints becomes our error. */
static void on_error(cfg_t *cfg, const char *format, va_list ap)
{
	char text[160];
	int line = cfg ? cfg->line : 0;
	if (!current || current->err)
		return;
	if (strncmp(format, "no such option '%s'", 19) == 0) {
		unknown_key(current, line, va_arg(ap, const char *));
		return;
	}
	vsnprintf(text, sizeof(text), format, ap);
	current->err = err_set(current->msg, ERR_CONFIG,
	    "%.100s:%d: expected KEY = VALUE, texts in double quotes: %.120s",
	    current->name, line, text);
}

static int value_fail(cfg_t *cfg, const char *key, int err)
{
	err_prefix(
	    current->msg, "%.100s:%d: %s", current->name, cfg->line, key);
	current->err = err;
	return -1;
}

static void place_note(
    struct config *config, size_t row, size_t count, int line)
{
	VEC_ROOM(config->places, config->place_count);
	config->places[config->place_count++] =
	    (struct place){ row, count ? count - 1 : 0, line };
}

/* Called after each value that is read: a scalar, or one more of a list. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	struct config *config = current->config;
	struct errmsg *msg = current->msg;
	size_t i = 0;
	while (strcmp(config->rows[i].name, opt->name) != 0)
		i++;
	const struct option_row *row = &config->rows[i];
	place_note(config, i, cfg_opt_size(opt), cfg->line);
	if (row->type == OPTION_LIST)
		return 0; /* text: nothing to check; taken when all is read */
	if (config->values[i].given) {
		err_set(msg, ERR_CONFIG, "given twice");
		return value_fail(cfg, row->name, ERR_CONFIG);
	}
	const char *text = cfg_opt_getnstr(opt, 0);
	if (option_value_set(&config->values[i], row, text ? text : "", msg))
		return value_fail(cfg, row->name, ERR_CONFIG);
	return 0;
}

static cfg_opt_t *opts_make(const struct option_row *rows)
{
	size_t n = option_row_count(rows);
	cfg_opt_t *opts = xcalloc(n + 1, sizeof(*opts));
	for (size_t i = 0; i < n; i++) {
		cfg_opt_t scalar = CFG_STR(rows[i].name, NULL, CFGF_NODEFAULT);
		cfg_opt_t list =
		    CFG_STR_LIST(rows[i].name, NULL, CFGF_NODEFAULT);
		opts[i] = rows[i].type == OPTION_LIST ? list : scalar;
	}
	opts[n] = (cfg_opt_t)CFG_END();
	return opts;
}

static void lists_take(struct config *config, cfg_t *cfg)
{
	for (size_t i = 0; config->rows[i].name; i++) {
		const struct option_row *row = &config->rows[i];
		if (row->type != OPTION_LIST)
			continue;
		cfg_opt_t *opt = cfg_getopt(cfg, row->name);
		for (unsigned k = 0; k < cfg_opt_size(opt); k++)
			option_value_set(&config->values[i], row,
			    cfg_opt_getnstr(opt, k), NULL);
		if (opt->flags & CFGF_MODIFIED)
			config->values[i].given = config->values[i].set = true;
	}
}

static int read_all(
    struct config *config, char *text, const char *name, struct errmsg *msg)
{
	struct parse parse = { config, name, msg, 0 };
	cfg_opt_t *opts = opts_make(config->rows);
	cfg_t *cfg = cfg_init(opts, CFGF_NONE);
	if (!cfg)
		BUG("libconfuse refuses the option table");
	cfg_set_error_function(cfg, on_error);
	for (size_t i = 0; config->rows[i].name; i++)
		cfg_set_validate_func(cfg, config->rows[i].name, on_value);
	comments_blank(text);
	current = &parse;
	int got = cfg_parse_buf(cfg, text);
	current = NULL;
	if (got != CFG_SUCCESS && !parse.err)
		parse.err = err_set(msg, ERR_CONFIG,
		    "%.100s:%d: not understood", name, cfg->line);
	if (!parse.err)
		lists_take(config, cfg);
	cfg_free(cfg);
	free(opts);
	return parse.err;
}

int config_parse(struct config **config, const struct option_row *rows,
    const char *text, const char *name, struct errmsg *msg)
{
	*config = NULL;
	if (strlen(text) > CONFIG_MAX_BYTES)
		return err_set(msg, ERR_LIMIT, "%.100s: over %d bytes", name,
		    CONFIG_MAX_BYTES);
	struct config *c = xcalloc(1, sizeof(*c));
	c->rows = rows;
	c->name = xstrdup(name);
	c->values = xcalloc(option_row_count(rows), sizeof(*c->values));
	char *copy = xstrdup(text);
	int err = read_all(c, copy, name, msg);
	free(copy);
	for (size_t i = 0; !err && rows[i].name; i++) {
		err = option_value_default(&c->values[i], &rows[i], msg);
		if (err)
			err_prefix(msg, "%s: default", rows[i].name);
	}
	if (err) {
		config_free(c);
		return err;
	}
	*config = c;
	return 0;
}

int config_load(struct config **config, const struct option_row *rows,
    const char *path, struct errmsg *msg)
{
	*config = NULL;
	FILE *f = fopen(path, "re");
	if (!f) {
		int err = -errno;
		return err_set(msg, err, "%.150s: %s", path, err_str(err));
	}
	struct buf b = { 0 };
	char block[4096];
	size_t n;
	while ((n = fread(block, 1, sizeof(block), f)) > 0 &&
	    b.len <= CONFIG_MAX_BYTES)
		buf_bytes(&b, block, n);
	bool failed = ferror(f);
	fclose(f);
	int err;
	if (failed) {
		err = err_set(msg, -EIO, "%.150s: cannot read", path);
	} else if (b.len && memchr(b.data, 0, b.len)) {
		err = err_set(msg, ERR_CONFIG, "%.150s: not a text file", path);
	} else {
		buf_u8(&b, 0);
		err = config_parse(config, rows, (char *)b.data, path, msg);
	}
	buf_fini(&b);
	return err;
}

int config_load_default(struct config **config, const struct option_row *rows,
    const char *path, struct errmsg *msg)
{
	int err = config_load(config, rows, path, msg);
	return err == -ENOENT ? config_parse(config, rows, "", path, msg) : err;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < option_row_count(config->rows); i++)
		option_value_fini(&config->values[i]);
	free(config->values);
	free(config->places);
	free(config->name);
	free(config);
}

static const struct option_value *get(
    const struct config *config, const char *key, enum option_type type)
{
	return option_value_of(config->values, config->rows, key, type);
}

bool config_given(const struct config *config, const char *key)
{
	for (size_t i = 0; config->rows[i].name; i++)
		if (strcmp(config->rows[i].name, key) == 0)
			return config->values[i].given;
	BUG("no key '%s' in the table", key);
}

bool config_flag(const struct config *config, const char *key)
{
	return get(config, key, OPTION_FLAG)->integer != 0;
}

int64_t config_integer(const struct config *config, const char *key)
{
	return get(config, key, OPTION_INTEGER)->integer;
}

double config_number(const struct config *config, const char *key)
{
	return get(config, key, OPTION_NUMBER)->number;
}

int64_t config_duration_ns(const struct config *config, const char *key)
{
	return get(config, key, OPTION_DURATION)->integer;
}

uint64_t config_size(const struct config *config, const char *key)
{
	return get(config, key, OPTION_SIZE)->size;
}

const char *config_text(const struct config *config, const char *key)
{
	return get(config, key, OPTION_TEXT)->text;
}

size_t config_list(
    const struct config *config, const char *key, const char *const **items)
{
	const struct option_value *v = get(config, key, OPTION_LIST);
	*items = (const char *const *)v->items;
	return v->item_count;
}

void config_blame(const struct config *config, const char *key, size_t index,
    struct errmsg *msg)
{
	for (size_t i = config->place_count; i-- > 0;) {
		const struct place *place = &config->places[i];
		if (place->index != index ||
		    strcmp(config->rows[place->row].name, key) != 0)
			continue;
		err_prefix(msg, "%.100s:%d", config->name, place->line);
		return;
	}
	err_prefix(msg, "%.100s", config->name);
}

/* Single quotes: the one form in which nothing is expanded. */
static void print_text(struct buf *to, const char *text)
{
	buf_u8(to, '\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			buf_u8(to, '\\');
		buf_u8(to, (uint8_t)*text);
	}
	buf_u8(to, '\'');
}

static void print_list(struct buf *to, const struct option_value *v)
{
	buf_u8(to, '{');
	for (size_t i = 0; i < v->item_count; i++) {
		if (i)
			buf_printf(to, ", ");
		print_text(to, v->items[i]);
	}
	buf_u8(to, '}');
}

char *config_print(const struct config *config)
{
	struct buf b = { 0 };
	for (size_t i = 0; config->rows[i].name; i++) {
		const struct option_value *v = &config->values[i];
		buf_printf(
		    &b, v->set ? "%s = " : "# %s =", config->rows[i].name);
		if (v->set && config->rows[i].type == OPTION_LIST)
			print_list(&b, v);
		else if (v->set && config->rows[i].type == OPTION_TEXT)
			print_text(&b, v->text);
		else if (v->set)
			buf_printf(&b, "%s", v->text);
		buf_u8(&b, '\n');
	}
	buf_u8(&b, 0);
	return (char *)b.data;
}
