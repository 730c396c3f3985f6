/* What only the whole month shows: who is covered and not billed, whose amount jumped, which executive's employer pays too
 * little, whose option differs between Alan and payroll. */
#ifndef TRANSFORM_WATCH_H
#define TRANSFORM_WATCH_H

#include "transform/allocate.h"

/* One member's recurring lines in the billing month and the one before. */
struct watched_member {
    int64_t now_cents, before_cents;
    uint64_t now_kinds, before_kinds;  /* which kinds of lines: equal when the same people and options are insured */
};

/* One employment's provident cover in the billing month. */
struct watched_employment {
    int64_t t1_cents, employer_cents;
};

struct watch {
    struct dataset *d;
    struct watched_member *member;          /* as d->members */
    struct watched_employment *employment;  /* as d->employments */
    bool *contract_billed;                  /* as d->contracts: somebody has a line of their own on it */
    date_t issued_last;                     /* newest invoice of the billing month, DATE_NONE: none */
};

void watch_init(struct watch *w, struct dataset *d);
/* Takes note of a line of the window: what does not depend on allocation. After allocate_mark_lines. */
void watch_line(struct watch *w, const struct line *line);
/* Takes note of one line's portions. */
void watch_portions(struct watch *w, const struct line *line, const struct portions *portions);
/* Raises affiliated_not_billed, amount_jump, executive_minimum_not_met, option_mismatch. After the last line. */
void watch_month(struct watch *w, struct findings *f);

#endif
