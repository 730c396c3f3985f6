#include "transform/pay_base.h"

#include "transform/tranche.h"

/* Days of the employment in a month. */
static int days_in(const struct employed *e, month_t month)
{
    date_t from = month_first(month), to = month_last(month);
    if (e->starts_on > from)
        from = e->starts_on;
    if (e->ends_on != DATE_NONE && e->ends_on < to)
        to = e->ends_on;
    return to >= from ? to - from + 1 : 0;
}

/* The months of the year from the first one employed; 0 when the gross pay of one of them is not known. */
static bool months_of_year(const struct dataset *d, const struct employed *e, month_t month,
                           struct tranche_month year[TRANCHE_MONTHS_MAX], int *ret_n, struct err *err)
{
    month_t first = month - month % 12;
    if (month_of(e->starts_on) > first)
        first = month_of(e->starts_on);
    *ret_n = 0;
    for (month_t m = first; m <= month; m++) {
        struct pay_base base;
        struct tranche_month *t = &year[m - first];
        if (!dataset_pay_base(d, e->employment_id, m, &base)) {
            *ret_n = 0;
            return true;
        }
        *t = (struct tranche_month){.gross_cents = base.gross_cents, .days = days_in(e, m), .month_days = month_days(m)};
        if (!config_pmss(d->rules->config, m, &t->pmss_cents, err))
            return false;
        ++*ret_n;
    }
    return true;
}

static bool tranche_of(const struct dataset *d, const struct employed *e, enum basis basis, month_t month,
                       struct base *ret, struct err *err)
{
    struct tranche_month year[TRANCHE_MONTHS_MAX];
    int n;
    if (!months_of_year(d, e, month, year, &n, err))
        return false;
    struct tranches t;
    if (!tranche_year_to_date(year, n, &t))
        return err_set(err, ERR_DATA, "company %.*s: gross_cents of employment %.*s are beyond what tranches hold",
                       (int)d->company.company_id.len, d->company.company_id.p, (int)e->employment_id.len,
                       e->employment_id.p);
    int64_t cents = basis == BASIS_T1 ? t.t1_cents : basis == BASIS_T2 ? t.t2_cents : t.tb_cents;
    *ret = n ? (struct base){cents, 1} : BASE_NONE;
    return true;
}

static bool ceiling_of(const struct dataset *d, const struct employed *e, month_t month, struct base *ret, struct err *err)
{
    int64_t pmss;
    if (!config_pmss(d->rules->config, month, &pmss, err))
        return false;
    *ret = (struct base){pmss * days_in(e, month), month_days(month)};
    return true;
}

bool pay_base_of(const struct dataset *d, int32_t employment, enum basis basis, month_t month, struct base *ret,
                 struct err *err)
{
    const struct employed *e = &d->employments.v[employment];
    if (basis == BASIS_PMSS)
        return ceiling_of(d, e, month, ret, err);
    struct pay_base given;
    *ret = BASE_NONE;
    if (!dataset_pay_base(d, e->employment_id, month, &given))
        return true;
    int64_t cents = basis == BASIS_GROSS ? given.gross_cents
                    : basis == BASIS_T1  ? given.t1_cents
                    : basis == BASIS_T2  ? given.t2_cents
                                         : INT_NONE;
    if (cents == INT_NONE)
        return tranche_of(d, e, basis, month, ret, err);
    *ret = (struct base){cents, 1};
    return true;
}
