/* Between the fetch, from which companies come in any order, and who puts them together in the order of the
 * configuration: how the fetch ended for each that waits its turn. */
#ifndef EXTRACT_QUEUE_H
#define EXTRACT_QUEUE_H

#include <pthread.h>

#include "extract/fetch.h"

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

struct queue {
    const struct config_company **companies;   /* selected, in the order of the configuration */
    struct waiting *waiting;                   /* one per company */
    int n, n_sources;
    pthread_mutex_t lock;                      /* over waiting[].fetched and what follows */
    pthread_cond_t come;
    bool closed, unwanted;
    struct err fault;                          /* why nothing is made of them any more */
};

/* Room for at most so many companies, to be added in the order of the configuration. */
void queue_init(struct queue *q, int most, int n_sources);
static inline void queue_add(struct queue *q, const struct config_company *company)
{
    q->companies[q->n++] = company;
}
/* A company has been fetched. */
void queue_put(struct queue *q, const struct fetch_outcome *outcome);
/* No more companies come; unwanted: nor is anything to be made of those that wait. */
void queue_close(struct queue *q, bool unwanted);
/* Waits until the company at this place has been fetched, from then on the caller's alone. False when it never will be,
 * or nobody wants it. */
bool queue_wait(struct queue *q, int at);
/* Nothing is made of what waits, or still comes, for this reason. */
void queue_fail(struct queue *q, const struct err *err);
bool queue_failed(struct queue *q, struct err *err);
/* A company that fails after it was fetched: because of what a source gave, which is known by its place. */
void waiting_fail(struct waiting *w, int source, const struct err *err);
/* Gives back what its sources said. */
void waiting_end(struct waiting *w, int n_sources);
void queue_free(struct queue *q);

#endif
