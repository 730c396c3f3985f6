/* Messages to stderr, text or one JSON object a line. The only mutable globals of the program are here. */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>

#include "common/mem.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* Set once by main. */
void log_setup(enum log_level level, bool json, const char *stage, const char *run_id);

/* Never pass it a secret or a social security number. One message is one line and one write(2). */
void log_at(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_at(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

/* Appends text with control characters and bytes that are not UTF-8 written \xNN. */
void log_escape(struct buf *b, const char *text);

/* A bar on stderr: companies done of all, records, records a second, time left. Redrawn at most ten times a second
 * and only when enabled; log lines and the bar do not overwrite each other. Both counts are from the start. */
void progress_setup(bool enabled, const char *stage, long companies);
void progress_step(long companies_done, long long records);
void progress_end(void);

#endif
