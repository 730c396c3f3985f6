/* Invented people: who they are, what they earn, what is wrong with them. The same numbers give the same people. */
#ifndef TESTS_BENCH_PERSON_H
#define TESTS_BENCH_PERSON_H

#include "common/mem.h"
#include "common/records.h"

enum { FORMULAS = 2 };

struct world {
    uint64_t seed;
    month_t period;        /* the last of billing_months */
    int billing_months;    /* of which there are invoices, 1..BILLING_MONTHS_MAX */
    instant_t as_of;
    int64_t change_ppm;    /* share of people whose formula or pay in `period` is another one than with 0 */
};

/* A stream of numbers of its own for every purpose: xorshift64*, never at rest in zero. */
struct dice {
    uint64_t state;
};
struct dice dice_for(const struct world *w, uint64_t purpose, int64_t number);
/* 0..n-1 */
int64_t dice_below(struct dice *d, int64_t n);
static inline bool dice_ppm(struct dice *d, int64_t ppm)
{
    return dice_below(d, PPM_ONE) < ppm;
}

/* About one in a hundred: somebody else at Alan, or another number there; exempt and billed; a wrong price. */
enum fault { FAULT_NONE, FAULT_STRANGER, FAULT_WRONG_NUMBER, FAULT_EXEMPT_BILLED, FAULT_PRICE, FAULTS };

struct person {
    int64_t number;
    struct str employee_id, employment_id, member_id, nir, alan_nir, first_name, last_name, alan_last_name;
    date_t birth, starts_on, ends_on;   /* ends_on DATE_NONE: still there */
    bool executive, exempt, billed, partner, option;
    int children, formula;
    int64_t gross_cents;
    enum fault fault;
    bool changed;                       /* in the last month */
};

/* Strings are in the arena. */
struct person person_make(const struct world *w, int64_t number, struct arena *a);

/* "emp-00000042" */
struct str text_make(struct arena *a, const char *prefix, int64_t number);

/* 9 and 14 digits that satisfy Luhn; text has room for 15. */
char *company_siren(int64_t number, char *text);
char *company_siret(int64_t number, int64_t establishment, char *text);

#endif
