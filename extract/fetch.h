/* Fetching: every request of many companies over libcurl's multi interface, into one spool per company. Bounded
 * parallel transfers, connections reused, HTTP/2 where offered, compressed bodies; retries with jittered backoff and
 * Retry-After in both forms (retry.h); a deadline per list, from its first request on; TLS verified; http for loopback
 * only unless the source allows it; redirects are not followed, so that no credential reaches another host.
 *
 * A list is whole or it fails (paging.h): an endless one, one beyond its cap and one that differs from its announced
 * total are ERR_DATA, the last after it was read anew once. Under the kinds of errors: ERR_REFUSED 401, 403 and
 * certificates; ERR_CONFIG 404, other 4xx and redirects; ERR_UNAVAILABLE what stayed down; ERR_TRY_AGAIN 429, with
 * retry_after_s; ERR_NO_INPUT a missing file. A page that is no JSON is asked for twice, then spooled as the end of its
 * list and left to the mapper, which rejects it. A list that is missing (404 on its first page, no file) is spooled as
 * an absent page where the source is optional. A source that failed for several companies one after the other is taken
 * to be down and not asked again (throttle.h). */
#ifndef EXTRACT_FETCH_H
#define EXTRACT_FETCH_H

#include "extract/source.h"
#include "extract/spool.h"

/* How a source served a company. A source without a request for it has both instants INSTANT_NONE. synced_at is that of
 * its stalest list, also when an earlier process received it. */
struct fetch_by_source {
    const struct source *source;
    bool failed;
    instant_t attempted_at, synced_at;
    struct err err;        /* the first failure; kind and retry_after_s decide the status when every company fails */
};

/* How a company's fetch ended. When a source has failed for a company, its other lists are not asked for any more; the
 * other sources go on. */
struct fetch_outcome {
    const struct config_company *company;
    struct request *requests;
    int n_requests;
    struct fetch_by_source *by_source;
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
    /* Called once per company when all its lists are complete or given up, in any order. The outcome is gone
     * afterwards. */
    void (*company_done)(void *arg, const struct fetch_outcome *outcome);
    /* Asked several times a second, whatever is waited for: false stops everything with err. */
    bool (*go_on)(void *arg, struct err *err);
    void *arg;
};

/* Fetches everything; files (file:// and CSV paths) are read as well, so that later steps see pages only. Pages already
 * in a company's spool are not asked for again. ERR_TRY_AGAIN when a signal asked to stop: what is spooled stays. */
bool fetch_all(const struct fetch_plan *plan, struct err *err);

/* `extract --check`: authenticates every source and reads one record of every entity for the given companies; one line
 * per finding through report; false (with the worst kind in err) when anything failed. Writes nothing. */
bool fetch_check(const struct fetch_plan *plan, void (*report)(const char *line), struct err *err);

#endif
