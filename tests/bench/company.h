/* One invented company of the benchmark: everything that extract would stage about it. The same numbers give the same
 * records; nothing is read from anywhere. */
#ifndef TESTS_BENCH_COMPANY_H
#define TESTS_BENCH_COMPANY_H

#include "common/staging.h"
#include "tests/bench/person.h"

enum { BILLING_MONTHS_MAX = 3, EMPLOYEES_PER_ESTABLISHMENT = 500 };

struct plan {
    int64_t number;        /* from 0 */
    int64_t employees;
    int64_t first_employee; /* people are numbered through all companies: their social security numbers differ */
};

const char *company_id(struct arena *a, int64_t number);
int64_t company_establishments(const struct plan *p);

/* Writes all its records and ends it. The arena is the caller's to reset. */
bool company_put(const struct world *w, const struct plan *plan, struct part *part, struct arena *a, struct err *err);

#endif
