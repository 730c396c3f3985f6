#include "extract/throttle.h"

#include <stdlib.h>

#include "common/mem.h"

enum { US_PER_MS = 1000, US_PER_S = 1000000 };

void throttle_init(struct throttle *t, int max_parallel, int requests_per_second)
{
    *t = (struct throttle){
        .max_parallel = max_parallel,
        .interval_us = requests_per_second > 0 ? US_PER_S / requests_per_second : 0,
    };
}

void throttle_free(struct throttle *t)
{
    free(t->why_open);
    *t = (struct throttle){0};
}

int64_t throttle_wait_ms(const struct throttle *t, int64_t now_ms)
{
    int64_t pause = t->paused_until_ms - now_ms;
    int64_t pace = t->next_us / US_PER_MS - now_ms;
    int64_t wait = pause > pace ? pause : pace;
    return wait > 0 ? wait : 0;
}

bool throttle_full(const struct throttle *t)
{
    return t->max_parallel > 0 && t->in_flight >= t->max_parallel;
}

/* Evenly spaced, without credit for idle time: a burst after a pause is what a server with a quota a second refuses. */
void throttle_leave(struct throttle *t, int64_t now_ms)
{
    int64_t now_us = now_ms * US_PER_MS;
    t->next_us = (t->next_us > now_us ? t->next_us : now_us) + t->interval_us;
    t->in_flight++;
}

void throttle_return(struct throttle *t)
{
    t->in_flight--;
}

void throttle_pause(struct throttle *t, int64_t now_ms, int64_t wait_ms)
{
    int64_t until = now_ms + (wait_ms < THROTTLE_PAUSE_MAX_MS ? wait_ms : THROTTLE_PAUSE_MAX_MS);
    if (until > t->paused_until_ms)
        t->paused_until_ms = until;
}

void throttle_answered(struct throttle *t)
{
    t->failed_in_a_row = 0;
}

void throttle_gave_up(struct throttle *t, const struct err *why)
{
    if (++t->failed_in_a_row < THROTTLE_COMPANIES_MAX || t->why_open)
        return;
    t->why_open = mem_alloc(sizeof *t->why_open);
    *t->why_open = *why;
}
