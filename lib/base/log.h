/* SPDX-License-Identifier: ISC */
/*
 * The daemons' log lines, to standard error: one line an event, control bytes
 * escaped.  Only main.c files and daemon loops log; libraries return errors.
 */
#pragma once

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* name: the process, printed before each line (borrowed).  Call once. */
void log_init(const char *name, enum log_level most);
void log_msg(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define log_error(...) log_msg(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_msg(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_msg(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_msg(LOG_DEBUG, __VA_ARGS__)
