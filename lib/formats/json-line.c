/* SPDX-License-Identifier: ISC */
/* NDJSON, and the one place that reports when it cannot be written. */
#include <errno.h>
#include <string.h>

#include "lib/formats/format.h"
#include "lib/formats/json-line.h"

static int failed(struct errmsg *msg)
{
	int err = errno ? -errno : -EIO;
	return err_set(msg, err, "output: %s", strerror(-err));
}

int json_line_open(void **ctx, FILE *to, int colour, struct errmsg *msg)
{
	(void)colour;
	(void)msg;
	*ctx = to;
	return 0;
}

int json_line_close(void *ctx, struct errmsg *msg)
{
	errno = 0;
	return fflush(ctx) == 0 ? 0 : failed(msg);
}

int json_line_write(FILE *to, json_t *line, size_t flags, struct errmsg *msg)
{
	if (!line)
		return 0;
	errno = 0;
	int bad = json_dumpf(line, to, JSON_COMPACT | flags) != 0 ||
	    putc('\n', to) == EOF;
	json_decref(line);
	return bad ? failed(msg) : 0;
}

int json_line_write_text(FILE *to, struct buf *line, struct errmsg *msg)
{
	buf_u8(line, '\n');
	errno = 0;
	return fwrite(line->data, 1, line->len, to) == line->len ? 0
								 : failed(msg);
}

int json_line_measurement(FILE *to, const Sonde__Record *record,
    json_line_fn *trace, json_line_fn *ping, struct errmsg *msg)
{
	json_t *line = NULL;
	if (record->body_case == SONDE__RECORD__BODY_TRACE)
		line = trace(record);
	else if (record->body_case == SONDE__RECORD__BODY_PING)
		line = ping(record);
	else
		return FORMAT_SKIPPED;
	return json_line_write(to, line, JSON_REAL_PRECISION(9), msg);
}
