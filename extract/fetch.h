/* Fetching: every request of many companies over libcurl's multi interface, into one spool per company. Bounded
 * parallel transfers, connections reused, HTTP/2 where offered, compressed bodies; retries with jittered backoff and
 * Retry-After in both forms; a deadline per list; TLS verified; http for loopback only unless the source allows it;
 * credentials never follow a redirect to another host. */
#ifndef EXTRACT_FETCH_H
#define EXTRACT_FETCH_H

#include "extract/source.h"
#include "extract/spool.h"

/* How a company's fetch ended, per source; what failed carries the first error in full. */
struct fetch_outcome {
    const struct config_company *company;
    struct request *requests;
    int n_requests;
    struct {
        const struct source *source;
        bool failed;
        instant_t attempted_at, synced_at;
        struct err err;    /* kind and retry_after_s decide the exit status when every company fails */
    } *by_source;
    int n_sources;
    bool failed;           /* a source that is not optional failed */
};

struct fetch_plan {
    const struct source *sources;
    int n_sources;
    month_t first, last;               /* billing months to read */
    const char *raw_dir;               /* spools are made here */
    const char *cache_dir;             /* spools of the last complete run, for entity tags; NULL: none */
    int parallel;                      /* transfers at a time over everything */
    /* The companies, one after the other; NULL when there are no more. */
    const struct config_company *(*next_company)(void *arg);
    /* Called once per company when all its lists are complete or given up, in any order. The outcome is gone afterwards.
     * False stops everything with err. */
    bool (*company_done)(void *arg, const struct fetch_outcome *outcome, struct err *err);
    void *arg;
};

/* Fetches everything; files (file:// and CSV paths) are read as well, so that later steps see pages only. Pages already
 * in a company's spool are not asked for again. ERR_TRY_AGAIN when a signal asked to stop: what is spooled stays. */
bool fetch_all(const struct fetch_plan *plan, struct err *err);

/* `extract --check`: authenticates every source and reads one record of every entity for the given companies; one line
 * per finding through report; false (with the worst kind in err) when anything failed. Writes nothing. */
bool fetch_check(const struct fetch_plan *plan, void (*report)(const char *line), struct err *err);

#endif
