#include "transform/check.h"
#include "transform/cover.h"

struct checking {
    struct dataset *d;
    struct findings *f;
    const struct invoice_line *line;
    const struct line_state *state;
    const struct contract *contract;
    const struct invoice *invoice;
    bool put_right;  /* adjustments since bring the line to what the contract asks, or back to nothing */
};

static struct about about(const struct checking *ck, const struct portion *p)
{
    struct about x = ABOUT_NOTHING;
    x.employment = p->employment;
    x.member = ck->state->member;
    x.contract = ck->state->contract;
    x.invoice = ck->state->invoice;
    x.cover_month = p->cover.month;
    return x;
}

/* What the term asks for this portion, INT_NONE when it has no price. */
static int64_t expected_cents(const struct portion *p)
{
    const struct term *t = p->term;
    if (t->basis == BASIS_FIXED)
        return t->price_cents == INT_NONE ? INT_NONE : split_price(t->price_cents, &p->cover);
    return t->rate_ppm == INT_NONE || p->base.cents == INT_NONE ? INT_NONE : split_premium(p->base, t);
}

/* What is too far apart to be counted is as far as can be. */
static int64_t distance(int64_t a, int64_t b)
{
    int64_t apart;
    return __builtin_sub_overflow(a > b ? a : b, a > b ? b : a, &apart) ? INT64_MAX : apart;
}

/* Whether a change at Alan after the invoice was issued explains why it says something else. */
static bool changed_since(const struct checking *ck, const struct portion *p)
{
    date_t issued_on = ck->invoice->issued_on;
    if (ck->contract->updated_at != INSTANT_NONE && instant_date(ck->contract->updated_at) > issued_on)
        return true;
    if (ck->state->member == NONE)
        return false;
    const struct affiliated *a = cover_affiliation(ck->d, ck->state->member, (enum product)ck->contract->product,
                                                    ck->state->contract, p->cover.from, p->cover.to);
    return a && a->updated_on != DATE_NONE && a->updated_on > issued_on;
}

/* The right price for another share of the month: under another proration, or the whole month for a part of it. */
static bool other_proration(const struct portion *p, int64_t amount_cents, int64_t tolerance_cents)
{
    if (p->cover.from == month_first(p->cover.month) && p->cover.to == month_last(p->cover.month))
        return false;
    for (int how = PRORATION_NONE; how <= PRORATION_THIRTIETHS; how++) {
        struct slice slice[SLICES_MAX];
        split_months(p->cover.from, p->cover.to, (enum proration)how, slice);
        if (distance(split_price(p->term->price_cents, slice), amount_cents) <= tolerance_cents)
            return true;
    }
    return false;
}

static enum discrepancy_code amount_code(const struct checking *ck, const struct portion *p, int64_t tolerance_cents)
{
    if (changed_since(ck, p))
        return DISC_recent_change;
    if (p->term->basis != BASIS_FIXED)
        return DISC_rate_mismatch;
    return other_proration(p, p->amount_cents, tolerance_cents) ? DISC_proration_mismatch : DISC_price_mismatch;
}

static bool check_amount(const struct checking *ck, const struct portion *p)
{
    int64_t tolerance = ck->d->rules->config->tolerance_line_cents, expected = expected_cents(p);
    if (ck->put_right)
        return true;
    if (expected == INT_NONE || distance(p->amount_cents, expected) <= tolerance)
        return true;
    struct about x = about(ck, p);
    struct discrepancy *found = findings_raise(ck->f, amount_code(ck, p, tolerance), &x);
    ck->d->members.v[ck->state->member].amount_questioned = true;
    return finding_add_line(found, ck->line->line_id, expected, p->amount_cents, 0);
}

/* CSS L911-7: at least half of the compulsory cover. Options and dependants on lines of their own may be the employee's. */
static bool check_minimum(const struct checking *ck, const struct portion *p)
{
    int64_t minimum_ppm = ck->d->rules->config->minimum_employer_share_ppm;
    if (ck->contract->product != PRODUCT_HEALTH || p->amount_cents <= 0 ||
        (ck->line->member_type != MEMBER_EMPLOYEE && ck->line->member_type != MEMBER_FAMILY))
        return true;
    int64_t least = money_share(p->amount_cents, minimum_ppm);
    if (p->employer_cents >= least)
        return true;
    struct about x = ABOUT_NOTHING;
    x.contract = ck->state->contract;
    x.cover_month = p->cover.month;
    return finding_add_line(findings_raise(ck->f, DISC_employer_share_below_minimum, &x), ck->line->line_id, least,
                            p->employer_cents, 0);
}

static bool check_retroactive(const struct checking *ck, const struct portion *p)
{
    if (p->cover.month >= ck->invoice->billing_month || p->hold == DISC_duplicate_line)
        return true;
    struct about x = about(ck, p);
    return finding_add_line(findings_raise(ck->f, DISC_retroactive_adjustment, &x), ck->line->line_id, INT_NONE,
                            p->amount_cents, 0);
}

static bool check_expiry(const struct checking *ck, const struct portion *p)
{
    if (ck->contract->valid_to == DATE_NONE || p->cover.from <= ck->contract->valid_to)
        return true;
    struct about x = ABOUT_NOTHING;
    x.contract = ck->state->contract;
    x.cover_month = p->cover.month;
    return finding_add_line(findings_raise(ck->f, DISC_contract_expired, &x), ck->line->line_id, INT_NONE, p->amount_cents, 0);
}

/* A line that is held is told by what holds it. */
static bool check_affiliation(const struct checking *ck, const struct portion *p)
{
    if (p->hold || ck->line->kind != LINE_RECURRING || ck->state->member == NONE ||
        cover_affiliation(ck->d, ck->state->member, (enum product)ck->contract->product, ck->state->contract, p->cover.from,
                          p->cover.to))
        return true;
    struct about x = about(ck, p);
    return finding_add_line(findings_raise(ck->f, DISC_billed_not_affiliated, &x), ck->line->line_id, INT_NONE,
                            p->amount_cents, 0);
}

/* Lines from before the window may be what an adjustment of so old a period refers to. */
static bool check_original(const struct checking *ck, const struct portion *p)
{
    struct str original = ck->line->adjusts_line_id;
    if (!original.p || p->cover.month < ck->d->rules->first_billing || dataset_line(ck->d, original) != NONE)
        return true;
    uint32_t posted = dataset_posted_from(ck->d, original);
    if (posted < ck->d->posted.n && str_eq(ck->d->posted.v[posted].line_id, original))
        return true;
    struct about x = about(ck, p);
    struct discrepancy *found = findings_raise(ck->f, DISC_adjustment_without_original, &x);
    found->actual = original;
    return finding_add_line(found, ck->line->line_id, INT_NONE, p->amount_cents, 0);
}

static bool check_portion(const struct checking *ck, const struct portion *p)
{
    if (!check_retroactive(ck, p) || !check_expiry(ck, p) || !check_affiliation(ck, p) || !check_original(ck, p))
        return false;
    if (!p->term || ck->line->kind != LINE_RECURRING || ck->state->duplicate || !ck->line->member_id.p)
        return true;
    return check_amount(ck, p) && check_minimum(ck, p);
}

static bool put_right(const struct checking *ck, const struct portions *portions)
{
    int64_t expected = 0, now = ck->line->amount_cents;
    int64_t adjusted = ck->d->adjusted_cents[ck->state->adjusted];
    if (ck->state->undone || !adjusted)
        return ck->state->undone;
    for (uint32_t i = 0; i < portions->n; i++) {
        int64_t cents = portions->v[i].term ? expected_cents(&portions->v[i]) : INT_NONE;
        if (cents == INT_NONE || !money_add(&expected, cents))
            return false;
    }
    return money_add(&now, adjusted) &&
           distance(now, expected) <= ck->d->rules->config->tolerance_line_cents;
}

bool check_line(struct dataset *d, struct findings *f, const struct line *line, const struct portions *portions, struct err *err)
{
    const struct line_state *state = line->state;
    struct checking ck = {d, f, &line->record, state, state->contract == NONE ? NULL : &d->contracts.v[state->contract],
                          &d->invoices.v[state->invoice], false};
    if (!ck.contract || ck.line->kind == LINE_FEE)
        return true;
    ck.put_right = put_right(&ck, portions);
    for (uint32_t i = 0; i < portions->n; i++)
        if (!check_portion(&ck, &portions->v[i]))
            return err_set(err, ERR_DATA, "line %.*s: amounts add up beyond what 64 bits hold", (int)ck.line->line_id.len,
                           ck.line->line_id.p);
    return true;
}
