/* Companies, as they come from the fetch in any order, are put together strictly in the order of the configuration:
 * each as soon as it and all before it have been fetched, by a thread of its own beside the fetch. So the staged bytes do
 * not depend on which answer came first, and one company is in memory at a time; what waits its turn is in its spool. */
#ifndef EXTRACT_ASSEMBLE_H
#define EXTRACT_ASSEMBLE_H

#include "common/stage.h"
#include "extract/decided.h"
#include "extract/finish.h"
#include "extract/queue.h"
#include "extract/run.h"
#include "extract/shared.h"

struct assembly {
    const struct stage_run *run;
    const struct extract_run *extract;
    const struct source *sources;
    int n_sources;
    month_t first, last;
    const struct staging_out *out;

    struct shared shared;
    struct decided decided;
    struct queue queue;
    pthread_t thread;
    bool threaded;
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

/* Starts to put companies together: from here to assembly_end all but the queue is the thread's. */
void assembly_begin(struct assembly *a);
/* Takes the outcome of one company. */
void assembly_take(struct assembly *a, const struct fetch_outcome *outcome);
/* False, with err, when nothing can be put together any more. */
bool assembly_goes_on(struct assembly *a, struct err *err);
/* Waits for the last company and commits the last part. fetched: all companies came; else what waits is left, and err is
 * that of the fetch. */
bool assembly_end(struct assembly *a, bool fetched, struct err *err);
void assembly_free(struct assembly *a);
/* Keeps in *worst the error that matters more for the exit status: what only a person can mend before what heals. */
void err_keep_worst(struct err *worst, enum err_kind kind, int retry_after_s, const char *text);

#endif
