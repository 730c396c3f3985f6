/* What was rejected, for the log: a count per entity and reason, and where the first ones stand. */
#ifndef EXTRACT_REJECT_LOG_H
#define EXTRACT_REJECT_LOG_H

#include "common/records.h"

enum { REJECT_LOG_FIRST = 3, REJECT_LOG_LINES = 64 };

struct reject_log {
    struct reject_log_line {
        const char *entity;
        enum reject_reason reason;
        int64_t count;
        char *first[REJECT_LOG_FIRST];
    } line[REJECT_LOG_LINES];
    int n;
};

void reject_log_add(struct reject_log *log, const struct reject *reject);
/* Writes a warning per entity and reason. */
void reject_log_write(const struct reject_log *log);
void reject_log_free(struct reject_log *log);

#endif
