/* What the files behind fetch.h share. A run of fetch_all (struct fetching) has a few companies at work; a company has
 * its spool and its lists; a list asks for one page after the other. All of it runs in one thread:
 *
 *   fetch.c           the loop: begins companies as slots become free, starts what is ready, hands out what has come
 *   fetch_company.c   a company from its spool (what an earlier process left) to its outcome
 *   fetch_list.c      a list: what to ask for next, what to make of the answer, how it ends
 *   cache.c           the pages of the last complete run, for entity tags */
#ifndef EXTRACT_FETCHING_H
#define EXTRACT_FETCHING_H

#include "extract/auth.h"
#include "extract/cache.h"
#include "extract/fetch.h"
#include "extract/paging.h"
#include "extract/throttle.h"
#include "extract/transfer.h"

struct fetching {
    const struct fetch_plan *plan;
    struct transfers transfers;
    struct tokens tokens;
    struct throttle *throttle;             /* one per source */
    struct fetch_company *first;           /* at work, in the order they were begun */
    int n_companies;
    struct arena scratch;                  /* of one page */
    uint64_t random_state;
    int64_t now_ms;                        /* monotonic, of this turn of the loop */
    void (*report)(const char *line);      /* fetch_check: each list ends with its first page and is told; else NULL */
    struct err worst;                      /* fetch_check */
};

enum list_state { LIST_WAITING, LIST_IN_FLIGHT, LIST_ENDED };

struct fetch_list {
    struct fetching *f;
    struct fetch_company *company;
    const struct request *request;
    int index;                             /* of the request */
    enum list_state state;
    bool failed;
    struct walk walk;
    struct tries tries;
    char *url;                             /* of the page the walk asks for; NULL: not built yet */
    struct credential credential;
    bool has_credential;
    struct token *token;                   /* under client credentials */
    int token_generation;                  /* of the value sent last */
    bool token_renewed;                    /* after this page was refused */
    const struct page *cached;             /* whose tag was sent */
    bool resumed;                          /* goes on from pages of an earlier process */
    bool distrusted;                       /* those pages do not make a list: it starts over */
    bool read_again;                       /* it was incomplete once */
    bool unreadable;                       /* its page was no JSON once */
    instant_t done_at;
};

struct fetch_company {
    struct fetch_company *next;
    struct arena arena;
    struct request *requests;
    struct fetch_list *lists;
    int n_lists, n_left;                   /* left: not ended */
    struct spool spool;
    struct cache cache;
    struct fetch_outcome outcome;
};

/* ---- fetch_company.c ---- */

/* NULL when its spool cannot be opened. */
struct fetch_company *fetch_company_begin(struct fetching *f, const struct config_company *company, struct err *err);
/* Fills the outcome once no list is left, tells the plan and gives everything back. */
void fetch_company_end(struct fetching *f, struct fetch_company *c);
void fetch_company_free(struct fetch_company *c);
/* "alan: company acme: invoices 2026-04", in the arena. */
const char *request_name(const struct request *request, struct arena *a);

/* ---- fetch_list.c ---- */

void fetch_list_begin(struct fetch_list *l, struct fetching *f, struct fetch_company *company, int index);
/* Takes a page that an earlier process spooled. */
void fetch_list_resume(struct fetch_list *l, const struct page *page);
/* Starts what can be started for a waiting list. *wake_ms is lowered to when it wants to be looked at again; *starved
 * is set when it only wants a slot. False when nothing can go on. */
bool fetch_list_go_on(struct fetch_list *l, int64_t *wake_ms, bool *starved, struct err *err);
/* Takes the answer to its request. False when the spool cannot be written: nothing can go on. */
bool fetch_list_answered(struct fetch_list *l, const struct answer *answer, struct err *err);

/* ---- fetch.c ---- */

uint64_t fetching_random(struct fetching *f);
static inline struct throttle *throttle_of(struct fetching *f, const struct source *source)
{
    return &f->throttle[source - f->plan->sources];
}
/* Runs the plan to its end. */
bool fetching_run(struct fetching *f, struct err *err);

#endif
