/* Companies, as they come from the fetch in any order, are put together strictly in the order of the configuration:
 * each as soon as it and all before it have been fetched. So the staged bytes do not depend on which answer came first,
 * and one company is in memory at a time; what waits its turn is in its spool. */
#ifndef EXTRACT_ASSEMBLE_H
#define EXTRACT_ASSEMBLE_H

#include "common/stage.h"
#include "extract/decided.h"
#include "extract/fetch.h"
#include "extract/finish.h"
#include "extract/run.h"
#include "extract/shared.h"

/* How a source ended for a company that waits its turn. */
struct waiting_source {
    enum sync_outcome outcome;
    instant_t attempted_at, synced_at;
    enum err_kind kind;
    int retry_after_s;
    char *error;
};
struct waiting {
    bool fetched, failed;
    struct waiting_source *source;
};

struct assembly {
    const struct stage_run *run;
    const struct extract_run *extract;
    const struct source *sources;
    int n_sources;
    month_t first, last;
    const struct config_company **companies;   /* selected, in the order of the configuration */
    int n;
    const struct staging_out *out;

    struct shared shared;
    struct decided decided;
    struct waiting *waiting;                   /* one per company */
    bool *good;                                /* one per company: it was staged, its pages may be the cache */
    int next;                                  /* to be put together */
    struct arena arena;                        /* of that company */
    struct mapping mapping;
    struct part part;
    bool part_open;
    int n_parts;
    struct reject_log log;
    int n_failed, n_warned;
    int64_t read, repeated, passed_over, rows;
    struct err worst;                          /* of the companies that failed */
};

/* Takes the outcome of one company, and puts together all whose turn it is. */
bool assembly_take(struct assembly *a, const struct fetch_outcome *outcome, struct err *err);
/* Commits the last part, when all companies are done. */
bool assembly_end(struct assembly *a, struct err *err);
void assembly_free(struct assembly *a);
/* Keeps in *worst the error that matters more for the exit status: what only a person can mend before what heals. */
void err_keep_worst(struct err *worst, enum err_kind kind, int retry_after_s, const char *text);

#endif
