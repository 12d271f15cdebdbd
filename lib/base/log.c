/* SPDX-License-Identifier: ISC */
/*
 * One write(2) a line, so that lines of several processes do not mix.  The
 * level goes in front as a syslog priority when the journal reads us.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/log.h"

static const char *log_name = "sonde";
static enum log_level log_most = LOG_INFO;

void log_init(const char *name, enum log_level most)
{
	log_name = name;
	log_most = most;
}

static void escape_control(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

void log_msg(enum log_level level, const char *format, ...)
{
	static const char *const words[] = { "error: ", "warning: ", "", "" };
	static const int priority[] = { 3, 4, 6, 7 };
	if (level > log_most)
		return;
	char text[1024], line[1200];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	escape_control(text);
	int n = getenv("JOURNAL_STREAM")
	    ? snprintf(line, sizeof(line), "<%d>%s: %s%s\n", priority[level],
		  log_name, words[level], text)
	    : snprintf(line, sizeof(line), "%s: %s%s\n", log_name, words[level],
		  text);
	if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}
