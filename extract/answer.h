/* What an answer means: whether to ask again, and how a failure is told. */
#ifndef EXTRACT_ANSWER_H
#define EXTRACT_ANSWER_H

#include "extract/retry.h"
#include "extract/transfer.h"

enum { ANSWER_QUOTE_MAX = 200 };

/* How often something was asked for, and how long that may go on. Times are milliseconds of a monotonic clock. */
struct tries {
    int failures;          /* since the last success, without … */
    int slowdowns;         /* … the answers 429 */
    bool leavings;         /* met once: see struct answer */
    int64_t ready_at_ms;   /* not before */
    int64_t deadline_ms;   /* 0: not begun */
};

/* The first attempt starts the deadline. */
void tries_begin(struct tries *t, const struct source *source, int64_t now_ms);
/* How long one transfer may take now; 0 when the deadline has passed. */
int64_t tries_timeout_ms(const struct tries *t, const struct source *source, int64_t now_ms);
/* Whether to ask over a connection of its own: the one before may be out of step. */
static inline bool tries_want_fresh(const struct tries *t)
{
    return t->failures > 0 || t->leavings;
}
/* Counts a failure and decides. RETRY_WAIT: ready_at_ms is set. The leavings of another answer cost nothing, once. */
enum retry_verdict tries_failed(struct tries *t, const struct source *source, const struct answer *answer,
                                int64_t now_ms, uint64_t random);
/* Forgets failures: the next page has all its attempts again. The deadline stays. */
void tries_succeeded(struct tries *t);

/* The source is there: it answered, and not to say that it is down or busy. */
bool answer_is_alive(const struct answer *answer);

/* Tells a failure that is final: "GET URL: HTTP 403: title: detail". The kind follows from the status; retry_after_s is
 * what the server asked for. What the body says is quoted up to ANSWER_QUOTE_MAX bytes, without numbers long enough to
 * be somebody's and not at all when it repeats the credential (NULL: there was none). Returns false. */
bool answer_fail(const struct answer *answer, const struct ask *ask, const struct tries *tries, struct err *err);

#endif
