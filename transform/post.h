/* Contributions of a payroll month: what each line is worth now, less what closed months have already given for it. */
#ifndef TRANSFORM_POST_H
#define TRANSFORM_POST_H

#include "transform/allocate.h"

/* Per invoice, what became of its lines. */
struct invoice_sums {
    int64_t line_count, lines_cents, allocated_cents, posted_cents, held_cents;
};

struct posting {
    struct dataset *d;
    struct findings *f;
    struct invoice_sums *invoice;  /* same positions as d->invoices */
    bool *posted_seen;             /* same positions as d->posted */
    bool closed;                   /* the payroll month itself is closed here: nothing may be added to it */
    struct err *err;
};

void post_init(struct posting *p, struct dataset *d, struct findings *f, struct err *err);
/* Writes the contributions of one line from its portions. What changes in a month that is closed raises period_closed. */
bool post_line(struct posting *p, const struct line *line, const struct portions *portions);
/* Takes back what was posted for lines that a complete invoice no longer has; raises feed_empty for an invoice that is
 * gone altogether. After the last line. */
bool post_vanished_lines(struct posting *p);
/* Whether every line came out as allocated, posted and held to the cent; ERR_DATA names the invoice. */
bool post_check(const struct posting *p);

#endif
