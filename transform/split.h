/* The arithmetic of a line: which term applies, who pays what, what a month of it is. Pure: no company, no clock. */
#ifndef TRANSFORM_SPLIT_H
#define TRANSFORM_SPLIT_H

#include "common/records.h"

/* What a term is looked for by. category: of the line, else of the employment; category_null when neither is known. */
struct term_query {
    struct str option_code, population_code;
    enum category category;
    enum member_type member_type;
    enum basis basis;
    date_t on;
};

/* The one term of a contract that fits best: option, population and category given exactly count more than left open
 * (null, `all`), in this order. A term that does not say who pays is no term. NULL when none fits or two fit equally well: nothing is guessed. */
const struct term *split_term(const struct contract *c, const struct term_query *query);

/* What a rate is applied to: cents ÷ of, so that a part of a month's ceiling need not be rounded. cents INT_NONE: none. */
struct base {
    int64_t cents, of;
};
#define BASE_NONE ((struct base){INT_NONE, 1})
int64_t base_rounded(struct base base);  /* to the cent, INT_NONE for none */

struct shares {
    int64_t employer_cents, employee_cents;   /* add up to the amount */
};

/* Splits amount by a term. A share: the employer's part is rounded half away from zero, the employee has the rest, so the
 * odd cent at the 50 % floor is the employer's (CSS L911-7). A fixed employer amount is capped by the amount. A percentage
 * premium with a known base is rounded per payer (half away from zero) when these parts add up to what is billed,
 * else its amount is split like a premium. Negative amounts mirror positive ones. */
struct shares split_amount(int64_t amount_cents, struct base base, const struct term *t);

/* A cover period cut by civil month. */
struct slice {
    month_t month;
    date_t from, to;       /* inside it */
    int64_t weight;        /* what part of a month's price it costs, in 1/SLICE_WHOLE_MONTH */
};
/* The least number that 28, 29, 30 and 31 divide. */
enum { SLICE_WHOLE_MONTH = 377580 };
enum { SLICES_MAX = 36 };
/* Cuts from..to into months; weights follow the contract: `none`, a month begun counts whole; `calendar_days`, days
 * covered ÷ days of the month; `thirtieths`, min(days, 30) ÷ 30, a full month being whole. Returns the number of slices,
 * 0 when the period is empty, reversed or longer than SLICES_MAX months. */
int split_months(date_t from, date_t to, enum proration proration, struct slice slices[SLICES_MAX]);

/* The monthly price for one slice, prorated as the contract says (split_months), rounded half away from zero. */
int64_t split_price(int64_t price_cents, const struct slice *slice);
/* The premium of a base at the term's rate, rounded per payer and added. */
int64_t split_premium(struct base base, const struct term *t);

#endif
