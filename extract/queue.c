#include "extract/queue.h"

#include <stdio.h>
#include <stdlib.h>

enum { ERROR_MAX = 1000 };

static char *cut(const char *text)
{
    size_t len = strlen(text);
    if (len > ERROR_MAX) {
        len = ERROR_MAX;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
    }
    char *copy = mem_alloc(len + 1);
    snprintf(copy, len + 1, "%s", text);
    return copy;
}

/* An outcome holds an error of 8 KiB a source; thousands may wait for a slow company before them. */
static void waiting_begin(struct waiting *w, const struct fetch_outcome *o)
{
    w->failed = o->failed;
    w->source = mem_alloc(sizeof *w->source * ((size_t)o->n_sources + 1));
    for (int i = 0; i < o->n_sources; i++) {
        const struct fetch_by_source *by = &o->by_source[i];
        w->source[i] = (struct waiting_source){
            .outcome = by->failed ? SYNC_FAILED : SYNC_OK, .attempted_at = by->attempted_at, .synced_at = by->synced_at,
        };
        if (by->failed) {
            w->source[i].kind = by->err.kind;
            w->source[i].retry_after_s = by->err.retry_after_s;
            w->source[i].error = cut(by->err.text);
        }
    }
}

void waiting_end(struct waiting *w, int n_sources)
{
    for (int i = 0; w->source && i < n_sources; i++)
        free(w->source[i].error);
    free(w->source);
    w->source = NULL;
}

void waiting_fail(struct waiting *w, int source, const struct err *err)
{
    w->failed = true;
    if (w->source[source].error)
        return;
    w->source[source].outcome = SYNC_FAILED;
    w->source[source].synced_at = INSTANT_NONE;
    w->source[source].kind = err->kind;
    w->source[source].error = cut(err->text);
}

/* The companies stand in the order in which they lie in the configuration's array. */
static int place_of(const struct queue *q, const struct config_company *company)
{
    int low = 0, high = q->n - 1;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (q->companies[middle] < company)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void queue_init(struct queue *q, int most, int n_sources)
{
    *q = (struct queue){.n_sources = n_sources};
    q->companies = mem_alloc(sizeof *q->companies * ((size_t)most + 1));
    q->waiting = mem_alloc(sizeof *q->waiting * ((size_t)most + 1));
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->come, NULL);
}

void queue_put(struct queue *q, const struct fetch_outcome *outcome)
{
    struct waiting *w = &q->waiting[place_of(q, outcome->company)];
    waiting_begin(w, outcome);
    pthread_mutex_lock(&q->lock);
    w->fetched = true;
    pthread_cond_signal(&q->come);
    pthread_mutex_unlock(&q->lock);
}

void queue_fail(struct queue *q, const struct err *err)
{
    pthread_mutex_lock(&q->lock);
    q->fault = *err;
    pthread_mutex_unlock(&q->lock);
}

bool queue_failed(struct queue *q, struct err *err)
{
    pthread_mutex_lock(&q->lock);
    bool failed = q->fault.kind != ERR_NONE;
    if (failed)
        *err = q->fault;
    pthread_mutex_unlock(&q->lock);
    return failed;
}

void queue_close(struct queue *q, bool unwanted)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    q->unwanted = unwanted;
    pthread_cond_signal(&q->come);
    pthread_mutex_unlock(&q->lock);
}

bool queue_wait(struct queue *q, int at)
{
    pthread_mutex_lock(&q->lock);
    while (!q->waiting[at].fetched && !q->closed)
        pthread_cond_wait(&q->come, &q->lock);
    bool wanted = q->waiting[at].fetched && !q->unwanted;
    pthread_mutex_unlock(&q->lock);
    return wanted;
}

void queue_free(struct queue *q)
{
    if (!q->waiting)
        return;
    for (int i = 0; i < q->n; i++)
        waiting_end(&q->waiting[i], q->n_sources);
    free(q->waiting);
    free(q->companies);
    pthread_cond_destroy(&q->come);
    pthread_mutex_destroy(&q->lock);
    *q = (struct queue){0};
}
