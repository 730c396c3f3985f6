/* From an invoice line to portions: who it is for, in which month, and who pays what; or why it is held. */
#ifndef TRANSFORM_ALLOCATE_H
#define TRANSFORM_ALLOCATE_H

#include "transform/findings.h"
#include "transform/split.h"

/* One line's share for one employment in one civil month. The portions of a line add up to the line. */
struct portion {
    int32_t employment;          /* NONE: nobody known, or a fee that the company bears */
    struct slice cover;
    struct base base;
    int64_t amount_cents, employer_cents, employee_cents;
    enum discrepancy_code hold;  /* DISC_NULL: ready */
    const struct term *term;     /* NULL: no rule, or none needed */
};

struct portions {
    struct portion *v;           /* in the company's arena, reused from line to line */
    uint32_t n, cap;
};

/* Finds lines billed twice and lines that an adjustment takes back entirely (line_states). Before allocate_line. */
void allocate_mark_lines(struct dataset *d);

/* What a line is worth now, portion by portion, raising a discrepancy for every held one. None for a cancelled invoice.
 * False with err on an overflow. */
bool allocate_line(struct dataset *d, struct findings *f, const struct line *line, struct portions *ret, struct err *err);

#endif
