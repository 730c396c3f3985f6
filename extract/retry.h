/* Whether and when a request that failed is made again. A pure function: clock and random are passed in.
 *
 * Transient are the statuses 408, 429, 500, 502, 503 and 504, connections that cannot be made or break, timeouts and
 * bodies cut short; everything else is an answer. The wait is drawn evenly from 0 to base × 2^(attempt - 1), at most
 * cap ("full jitter": https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), and never less than
 * the server asked for. Being told to slow down (429) costs no attempt: only the deadline ends it. */
#ifndef EXTRACT_RETRY_H
#define EXTRACT_RETRY_H

#include <stdbool.h>
#include <stdint.h>

enum { RETRY_BASE_MS = 500, RETRY_CAP_MS = 30000 };

struct retry_policy {
    int retries;            /* attempts beyond the first */
    int64_t base_ms, cap_ms;
};

struct retry_case {
    int attempt;            /* the one that failed, from 1 */
    int code;               /* CURLcode */
    long status;            /* HTTP, where the code is CURLE_OK */
    int64_t retry_after_ms; /* what the server asked for, already relative; -1: nothing */
    int64_t left_ms;        /* until the deadline */
    uint64_t random;
};

enum retry_verdict {
    RETRY_FINAL,            /* no retry can help */
    RETRY_WAIT,             /* ask again after *ret_wait_ms */
    RETRY_EXHAUSTED,        /* it might help, but the attempts are used up or *ret_wait_ms ends behind the deadline */
};

enum retry_verdict retry_decide(const struct retry_policy *policy, const struct retry_case *c, int64_t *ret_wait_ms);

#endif
