/* Tranches of pay: T1 up to the PMSS, T2 from there to 8 PMSS, TB from there to 4 (older contracts), from the beginning of
 * the year (CSS R242-2 and the year-to-date regularisation). Pure. */
#ifndef TRANSFORM_TRANCHE_H
#define TRANSFORM_TRANCHE_H

#include <stdbool.h>
#include <stdint.h>

enum { TRANCHE_MONTHS_MAX = 12 };

/* One month of the year for one employment. */
struct tranche_month {
    int64_t gross_cents;
    int64_t pmss_cents;    /* of the whole month */
    int days, month_days;  /* of the employment in it: an incomplete month has its share of the PMSS, unrounded */
};

struct tranches {
    int64_t t1_cents, t2_cents, tb_cents;  /* of the last month; T2 and TB may be negative, so may T1 */
};

/* Tranches of the last of n months, given all months of the year up to it. Each is the sum of the year so far less what
 * it was a month before, rounded half away from zero as late as possible. False when pay is beyond what 64 bits hold of it
 * (some 20 billion euros a month); *ret is then untouched. */
bool tranche_year_to_date(const struct tranche_month *month, int n, struct tranches *ret);

#endif
