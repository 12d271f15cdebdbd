/* SPDX-License-Identifier: ISC */
/*
 *   campaign 16 | run be64 | deadline_ns be64 | once u8 | script len u8, bytes
 *   | arguments be16, each be16 len, bytes
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/reader.h"
#include "lib/base/xalloc.h"
#include "probes/agent/scheduler/run-request.h"

void run_request_pack(struct buf *to, const struct run_request *request)
{
	buf_bytes(to, request->campaign, sizeof(request->campaign));
	buf_be64(to, request->run);
	buf_be64(to, (uint64_t)request->deadline_ns);
	buf_u8(to, request->once);
	buf_u8(to, (uint8_t)strlen(request->script));
	buf_bytes(to, request->script, strlen(request->script));
	buf_be16(to, (uint16_t)request->argument_count);
	for (size_t i = 0; i < request->argument_count; i++) {
		size_t len = strlen(request->arguments[i]);
		buf_be16(to, (uint16_t)len);
		buf_bytes(to, request->arguments[i], len);
	}
}

/* A text of len bytes without a NUL in it, or NULL and a failed reader. */
static char *read_text(struct reader *r, size_t len)
{
	const uint8_t *bytes = reader_bytes(r, len);
	if (!bytes)
		return NULL;
	if (memchr(bytes, 0, len)) {
		reader_fail(r, ERR_MALFORMED);
		return NULL;
	}
	return xstrndup((const char *)bytes, len);
}

static void read_script(struct run_request *q, struct reader *r)
{
	uint8_t len = reader_u8(r);
	char *script = read_text(r, len);
	if (script && worklist_script_is_valid(script))
		memcpy(q->script, script, strlen(script) + 1);
	else
		reader_fail(r, ERR_MALFORMED);
	free(script);
}

static void read_arguments(struct run_request *q, struct reader *r)
{
	size_t count = reader_be16(r);
	if (count > WORKLIST_MAX_ARGUMENTS)
		reader_fail(r, ERR_LIMIT);
	if (r->err != ERR_OK)
		return;
	q->arguments = xcalloc(count + 1, sizeof(*q->arguments));
	for (size_t i = 0; i < count; i++) {
		uint16_t len = reader_be16(r);
		char *argument = read_text(r, len);
		if (!argument)
			return;
		q->arguments[q->argument_count++] = argument;
		if (!worklist_argument_is_valid(argument))
			reader_fail(r, ERR_MALFORMED);
	}
}

int run_request_unpack(
    struct run_request *request, const void *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);
	memset(request, 0, sizeof(*request));
	if (len > RUN_REQUEST_MAX_BYTES)
		return ERR_LIMIT;
	reader_copy(&r, request->campaign, sizeof(request->campaign));
	request->run = reader_be64(&r);
	uint64_t deadline = reader_be64(&r);
	uint8_t once = reader_u8(&r);
	read_script(request, &r);
	read_arguments(request, &r);
	if (deadline == 0 || deadline > (uint64_t)RUN_DEADLINE_MAX_NS ||
	    once > 1 || request->run == 0 || reader_left(&r) != 0)
		reader_fail(&r, ERR_MALFORMED);
	request->deadline_ns = (int64_t)deadline;
	request->once = once == 1;
	if (r.err != ERR_OK)
		run_request_fini(request);
	return r.err;
}

void run_request_fini(struct run_request *request)
{
	for (size_t i = 0; i < request->argument_count; i++)
		free(request->arguments[i]);
	free(request->arguments);
	memset(request, 0, sizeof(*request));
}
