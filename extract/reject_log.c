#include "extract/reject_log.h"

#include <stdlib.h>

#include "common/log.h"
#include "common/mem.h"

enum { FAULTS_SHOWN = 8 };

static struct reject_log_line *line_of(struct reject_log *log, const struct reject *reject)
{
    for (int i = 0; i < log->n; i++)
        if (log->line[i].reason == reject->reason && str_is(reject->entity, log->line[i].entity))
            return &log->line[i];
    if (log->n == REJECT_LOG_LINES)
        return &log->line[REJECT_LOG_LINES - 1];
    const struct record *record = record_by_entity(reject->entity);
    log->line[log->n] = (struct reject_log_line){
        .entity = record ? record->entity : "records", .reason = (enum reject_reason)reject->reason,
    };
    return &log->line[log->n++];
}

/* Faults name fields and what was expected of them, never a value, so they may be logged. */
void reject_log_add(struct reject_log *log, const struct reject *reject)
{
    struct reject_log_line *line = line_of(log, reject);
    if (line->count++ >= REJECT_LOG_FIRST)
        return;
    struct buf b = {0};
    if (reject->company_id.p)
        buf_addf(&b, "company %.*s, ", (int)reject->company_id.len, reject->company_id.p);
    buf_addf(&b, "%.*s", (int)reject->source.len, reject->source.p);
    if (reject->line != INT_NONE)
        buf_addf(&b, ":%lld", (long long)reject->line);
    for (uint32_t i = 0; i < reject->faults.n && i < FAULTS_SHOWN; i++) {
        const struct str *fault = list_at(reject->faults, sizeof *fault, i);
        buf_addf(&b, "%s%.*s", i ? "; " : ": ", (int)fault->len, fault->p);
    }
    line->first[line->count - 1] = mem_strdup(buf_str(&b));
    buf_free(&b);
}

void reject_log_write(const struct reject_log *log)
{
    for (int i = 0; i < log->n; i++) {
        const struct reject_log_line *line = &log->line[i];
        const char *reason = reject_reason_enumeration.names[line->reason];
        log_warning("%lld rejected: %s, %s%s", (long long)line->count, line->entity, reason,
                    line->count > REJECT_LOG_FIRST ? "; the first of them:" : ":");
        for (int j = 0; j < REJECT_LOG_FIRST && line->first[j]; j++)
            log_warning("  %s", line->first[j]);
    }
}

void reject_log_free(struct reject_log *log)
{
    for (int i = 0; i < log->n; i++)
        for (int j = 0; j < REJECT_LOG_FIRST; j++)
            free(log->line[i].first[j]);
    log->n = 0;
}
