/* SPDX-License-Identifier: ISC */
/* One table of our own error codes; errno values keep their own words. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

static const struct {
	int code;
	int exit_code;
	const char *text;
} codes[] = {
	{ ERR_OK, 0, "no error" },
	{ ERR_TRUNCATED, 74, "truncated" },
	{ ERR_MALFORMED, 74, "malformed" },
	{ ERR_LIMIT, 74, "over the limit" },
	{ ERR_UNSUPPORTED, 70, "not supported" },
	{ ERR_USAGE, 2, "usage error" },
	{ ERR_CONFIG, 78, "configuration error" },
	{ ERR_DENIED, 77, "denied by policy" },
	{ ERR_CORRUPT, 74, "corrupt" },
	{ ERR_GAP, 75, "sequence gap" },
	{ ERR_FORKED, 70, "sequence reused with other bytes" },
	{ ERR_UNKNOWN_AGENT, 77, "unknown agent" },
	{ ERR_SIGNATURE, 77, "bad signature" },
	{ ERR_UNAVAILABLE, 69, "unavailable" },
	{ ERR_EOF, 0, "end of input" },
	{ ERR_NOT_FOUND, 2, "not found" },
	{ ERR_SANDBOX, 77, "sandbox incomplete" },
};

const char *err_str(int code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == code)
			return codes[i].text;
	if (code < 0 && code > -1000) {
		const char *text = strerrordesc_np(-code);
		if (text)
			return text;
	}
	return "unknown error";
}

int err_set(struct errmsg *msg, int code, const char *format, ...)
{
	if (msg) {
		va_list ap;
		va_start(ap, format);
		vsnprintf(msg->text, sizeof(msg->text), format, ap);
		va_end(ap);
	}
	return code;
}

void err_prefix(struct errmsg *msg, const char *format, ...)
{
	if (!msg)
		return;
	struct errmsg old = *msg;
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(msg->text, sizeof(msg->text), format, ap);
	va_end(ap);
	size_t at = (size_t)n, more = strlen(old.text) + 1;
	if (n < 0 || at + 3 > sizeof(msg->text))
		return;
	memcpy(msg->text + at, ": ", 2);
	at += 2;
	if (more > sizeof(msg->text) - at)
		more = sizeof(msg->text) - at;
	memcpy(msg->text + at, old.text, more);
	msg->text[sizeof(msg->text) - 1] = '\0';
}

int err_exit_code(int code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == code)
			return codes[i].exit_code;
	switch (-code) {
	case EPERM:
	case EACCES: return 77;
	case EAGAIN:
	case EBUSY:
	case EINTR: return 75;
	case ECONNREFUSED:
	case EHOSTUNREACH:
	case ETIMEDOUT: return 69;
	default: return code < 0 && code > -1000 ? 74 : 70;
	}
}

void bug_abort(const char *file, int line, const char *format, ...)
{
	va_list ap;
	fprintf(stderr, "sonde: BUG at %s:%d: ", file, line);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}
