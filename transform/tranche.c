#include "transform/tranche.h"

#include "common/money.h"
#include "transform/split.h"

enum { CEILING_T2 = 8, CEILING_TB = 4 };

/* Sums of the year, pay and ceiling both in cents × SLICE_WHOLE_MONTH, so that shares of a month stay whole numbers. */
struct sums {
    int64_t pay, ceiling;
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t above(const struct sums *s, int64_t ceilings)
{
    int64_t tranche = least(s->pay, ceilings * s->ceiling) - s->ceiling;
    return tranche > 0 ? tranche : 0;
}

static struct tranches cumulated(const struct sums *s)
{
    return (struct tranches){money_scale(least(s->pay, s->ceiling), 1, SLICE_WHOLE_MONTH),
                             money_scale(above(s, CEILING_T2), 1, SLICE_WHOLE_MONTH),
                             money_scale(above(s, CEILING_TB), 1, SLICE_WHOLE_MONTH)};
}

static bool add_month(struct sums *s, const struct tranche_month *m)
{
    int64_t pay;
    return !__builtin_mul_overflow(m->gross_cents, (int64_t)SLICE_WHOLE_MONTH, &pay) && money_add(&s->pay, pay) &&
           money_add(&s->ceiling, m->pmss_cents * (SLICE_WHOLE_MONTH / m->month_days) * m->days);
}

bool tranche_year_to_date(const struct tranche_month *month, int n, struct tranches *ret)
{
    struct sums sums = {0, 0};
    struct tranches before = {0}, now = {0};
    for (int i = 0; i < n; i++) {
        before = now;
        if (!add_month(&sums, &month[i]))
            return false;
        now = cumulated(&sums);
    }
    *ret = (struct tranches){now.t1_cents - before.t1_cents, now.t2_cents - before.t2_cents,
                             now.tb_cents - before.tb_cents};
    return true;
}
