/* How hard a source may be pressed: transfers at a time, requests a second, a pause shared by all of its lists after a
 * 429, and a circuit breaker that stops asking a source that is plainly down. Time is passed in. */
#ifndef EXTRACT_THROTTLE_H
#define EXTRACT_THROTTLE_H

#include <stdint.h>

#include "common/err.h"

/* A pause that one company's credential brings about must not hold up all others for longer than this. */
enum { THROTTLE_PAUSE_MAX_MS = 60000 };
/* As many companies failing one after the other, with no answer from the source in between, open the breaker. */
enum { THROTTLE_COMPANIES_MAX = 8 };

struct throttle {
    int max_parallel;          /* 0: no limit of its own */
    int64_t interval_us;       /* between two requests; 0: none */
    int in_flight;
    int64_t next_us;           /* when the next request may leave */
    int64_t paused_until_ms;
    int failed_in_a_row;
    struct err *why_open;      /* NULL: closed, the source is asked */
};

void throttle_init(struct throttle *t, int max_parallel, int requests_per_second);
void throttle_free(struct throttle *t);

/* Milliseconds until a request may leave, 0: now. Slots are looked at apart. */
int64_t throttle_wait_ms(const struct throttle *t, int64_t now_ms);
bool throttle_full(const struct throttle *t);

void throttle_leave(struct throttle *t, int64_t now_ms);    /* a request leaves */
void throttle_return(struct throttle *t);                   /* and has ended */
void throttle_pause(struct throttle *t, int64_t now_ms, int64_t wait_ms);

void throttle_answered(struct throttle *t);                 /* the source is there */
/* A company was given up because the source did not serve it; why is kept when this opens the breaker. */
void throttle_gave_up(struct throttle *t, const struct err *why);

#endif
