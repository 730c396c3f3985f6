#include "transform/split.h"

enum { EXACT_OPTION = 4, EXACT_POPULATION = 2, EXACT_CATEGORY = 1 };

/* How well a term fits, or -1. */
static int term_fit(const struct term *t, const struct term_query *q)
{
    int fit = 0;
    if (t->employer_share_ppm == INT_NONE ? t->employer_fixed_cents == INT_NONE : t->employer_share_ppm > PPM_ONE)
        return -1;
    if (t->member_type != q->member_type || t->basis != q->basis)
        return -1;
    if (q->on < t->valid_from || (t->valid_to != DATE_NONE && q->on > t->valid_to))
        return -1;
    if (t->option_code.p) {
        if (!str_eq(t->option_code, q->option_code))
            return -1;
        fit += EXACT_OPTION;
    }
    if (t->population_code.p) {
        if (!str_eq(t->population_code, q->population_code))
            return -1;
        fit += EXACT_POPULATION;
    }
    if (t->category != CATEGORY_ALL) {
        if (t->category != q->category)
            return -1;
        fit += EXACT_CATEGORY;
    }
    return fit;
}

const struct term *split_term(const struct contract *c, const struct term_query *query)
{
    const struct term *best = NULL;
    int best_fit = -1;
    bool tie = false;
    for (uint32_t i = 0; i < c->terms.n; i++) {
        const struct term *t = list_at(c->terms, sizeof *t, i);
        int fit = term_fit(t, query);
        if (fit > best_fit) {
            best = t;
            best_fit = fit;
            tie = false;
        } else if (fit >= 0 && fit == best_fit) {
            tie = true;
        }
    }
    return tie ? NULL : best;
}

int64_t base_rounded(struct base base)
{
    return base.cents == INT_NONE ? INT_NONE : money_scale(base.cents, 1, base.of);
}

/* A rate that makes a premium beyond every amount makes the largest one, which nobody bills. */
static int64_t payer_cents(struct base base, int64_t rate_ppm, int64_t share_ppm)
{
    int64_t share_of_rate;
    if (__builtin_mul_overflow(rate_ppm, share_ppm, &share_of_rate))
        share_of_rate = INT64_MAX;
    return money_scale(base.cents, share_of_rate, (int64_t)PPM_ONE * PPM_ONE * base.of);
}

int64_t split_premium(struct base base, const struct term *t)
{
    if (t->employer_share_ppm == INT_NONE)
        return payer_cents(base, t->rate_ppm, PPM_ONE);
    int64_t premium = payer_cents(base, t->rate_ppm, t->employer_share_ppm);
    if (!money_add(&premium, payer_cents(base, t->rate_ppm, PPM_ONE - t->employer_share_ppm)))
        return base.cents < 0 ? -MONEY_MOST : MONEY_MOST;
    return premium;
}

static int64_t capped(int64_t fixed_cents, int64_t amount_cents)
{
    if (amount_cents < 0)
        return -fixed_cents < amount_cents ? amount_cents : -fixed_cents;
    return fixed_cents > amount_cents ? amount_cents : fixed_cents;
}

struct shares split_amount(int64_t amount_cents, struct base base, const struct term *t)
{
    int64_t employer;
    if (t->employer_share_ppm == INT_NONE)
        employer = capped(t->employer_fixed_cents, amount_cents);
    else if (t->rate_ppm != INT_NONE && base.cents != INT_NONE && split_premium(base, t) == amount_cents)
        employer = payer_cents(base, t->rate_ppm, t->employer_share_ppm);
    else
        employer = money_share(amount_cents, t->employer_share_ppm);
    return (struct shares){employer, amount_cents - employer};
}

static int64_t weight_of(date_t from, date_t to, month_t month, enum proration proration)
{
    int days = to - from + 1, all = month_days(month);
    if (proration == PRORATION_NONE || days == all)
        return SLICE_WHOLE_MONTH;
    if (proration == PRORATION_THIRTIETHS)
        return (int64_t)SLICE_WHOLE_MONTH / 30 * (days < 30 ? days : 30);
    return (int64_t)SLICE_WHOLE_MONTH / all * days;
}

int split_months(date_t from, date_t to, enum proration proration, struct slice slices[SLICES_MAX])
{
    month_t first_month = month_of(from), last_month = month_of(to);
    if (from > to || last_month - first_month >= SLICES_MAX)
        return 0;
    int n = 0;
    for (month_t m = first_month; m <= last_month; m++) {
        date_t first = month_first(m), last = month_last(m);
        struct slice *s = &slices[n++];
        s->month = m;
        s->from = from > first ? from : first;
        s->to = to < last ? to : last;
        s->weight = weight_of(s->from, s->to, m, proration);
    }
    return n;
}

int64_t split_price(int64_t price_cents, const struct slice *slice)
{
    return money_scale(price_cents, slice->weight, SLICE_WHOLE_MONTH);
}
