#include "transform/post.h"

void post_init(struct posting *p, struct dataset *d, struct findings *f, struct err *err)
{
    *p = (struct posting){.d = d, .f = f, .err = err, .closed = dataset_closed(d, d->rules->period)};
    p->invoice = arena_alloc(d->arena, d->invoices.n * sizeof *p->invoice);
    p->posted_seen = arena_alloc(d->arena, d->posted.n * sizeof *p->posted_seen);
}

static bool add(struct posting *p, int64_t *sum, int64_t cents)
{
    return money_add(sum, cents) || err_set(p->err, ERR_DATA, "company %.*s: amounts add up beyond what 64 bits hold",
                                            (int)p->d->company.company_id.len, p->d->company.company_id.p);
}

/* An amount of a closed month: it goes to the payroll month at hand, or waits while that one is closed as well. */
static bool tell_closed(struct posting *p, const struct contribution *c)
{
    struct dataset *d = p->d;
    if (c->status != CONTRIBUTION_READY ||
        !dataset_closed(d, c->billing_month + (month_t)d->rules->config->invoice_month_shift))
        return true;
    struct about about = ABOUT_NOTHING;
    about.employment = (int32_t)lookup_find(&d->employment_by_id, c->employment_id);
    about.contract = (int32_t)lookup_find(&d->contract_by_id, c->contract_id);
    about.contract_id = c->contract_id;
    about.invoice = (int32_t)lookup_find(&d->invoice_by_id, c->invoice_id);
    about.cover_month = month_of(c->cover_from);
    return finding_add_line(findings_raise(p->f, DISC_period_closed, &about), c->line_id, INT_NONE, c->amount_cents, 0) ||
           err_set(p->err, ERR_DATA, "line %.*s: amounts add up beyond what 64 bits hold", (int)c->line_id.len, c->line_id.p);
}

static bool write(struct posting *p, const struct contribution *c, int64_t *sum)
{
    if (c->amount_cents != c->employer_cents + c->employee_cents)
        return err_set(p->err, ERR_BUG, "line %.*s: shares do not add up to the amount", (int)c->line_id.len, c->line_id.p);
    if (!add(p, sum, c->amount_cents))
        return false;
    if (c->amount_cents == 0 && c->employer_cents == 0 && c->employee_cents == 0)
        return true;
    return tell_closed(p, c) && (p->closed || part_put(p->d->part, &contribution_record, c, p->err));
}

/* What a portion is apart from its amounts. */
static struct contribution contribution_of(const struct posting *p, const struct line *line, const struct portion *portion)
{
    const struct dataset *d = p->d;
    const struct invoice_line *l = &line->record;
    const struct line_state *state = line->state;
    return (struct contribution){
        .company_id = d->company.company_id,
        .payroll_month = d->rules->period,
        .invoice_id = l->invoice_id,
        .line_id = l->line_id,
        .employment_id = portion->employment == NONE ? STR_NULL : d->employments.v[portion->employment].employment_id,
        .member_id = l->member_id,
        .contract_id = l->contract_id,
        .billing_month = d->invoices.v[state->invoice].billing_month,
        .product = state->contract == NONE ? 0 : d->contracts.v[state->contract].product,
        .component = l->basis,
        .member_type = l->member_type,
        .option_code = l->option_code,
        .population_code = l->population_code,
        .cover_from = portion->cover.from,
        .cover_to = portion->cover.to,
        .base_cents = base_rounded(portion->base),
        .amount_cents = portion->amount_cents,
        .employer_cents = portion->employer_cents,
        .employee_cents = portion->employee_cents,
        .status = portion->hold ? CONTRIBUTION_HELD : CONTRIBUTION_READY,
        .hold_code = (uint8_t)portion->hold,
    };
}

static enum contribution_kind kind_of(const struct posting *p, const struct line *line, const struct contribution *c, bool posted)
{
    month_t payroll_month = c->billing_month + (month_t)p->d->rules->config->invoice_month_shift;
    if (posted || payroll_month < p->d->rules->period || line->record.kind == LINE_ADJUSTMENT ||
        month_of(c->cover_from) < c->billing_month)
        return KIND_REGULARISATION;
    return KIND_REGULAR;
}

/* A base is corrected like the premium on it, so that all months together declare it once. */
static bool less_base(struct posting *p, struct contribution *c, int64_t posted_cents)
{
    return c->base_cents == INT_NONE || posted_cents == INT_NONE || add(p, &c->base_cents, -posted_cents);
}

/* Subtracts what closed months gave for the same line, employment and cover month. True when they gave anything. */
static bool less_posted(struct posting *p, struct contribution *c, struct invoice_sums *sums, bool *ret_ok)
{
    const struct dataset *d = p->d;
    bool any = false;
    *ret_ok = true;
    for (uint32_t i = dataset_posted_from(d, c->line_id); i < d->posted.n && str_eq(d->posted.v[i].line_id, c->line_id); i++) {
        const struct posted *x = &d->posted.v[i];
        if (!str_eq(x->employment_id, c->employment_id) || month_of(x->cover_from) != month_of(c->cover_from) ||
            p->posted_seen[i])
            continue;
        any = p->posted_seen[i] = true;
        *ret_ok = *ret_ok && add(p, &c->amount_cents, -x->amount_cents) && add(p, &c->employer_cents, -x->employer_cents) &&
                  add(p, &c->employee_cents, -x->employee_cents) && less_base(p, c, x->base_cents) &&
                  add(p, &sums->posted_cents, x->amount_cents);
    }
    return any;
}

/* Takes back one posted row that nothing stands against any more. */
static bool reverse(struct posting *p, uint32_t i, struct invoice_sums *sums)
{
    const struct posted *x = &p->d->posted.v[i];
    struct contribution c = {
        .company_id = p->d->company.company_id, .payroll_month = p->d->rules->period, .invoice_id = x->invoice_id,
        .line_id = x->line_id, .employment_id = x->employment_id, .contract_id = x->contract_id,
        .billing_month = x->billing_month, .product = x->product, .component = x->component,
        .member_type = x->member_type, .option_code = x->option_code, .population_code = x->population_code,
        .cover_from = x->cover_from, .cover_to = x->cover_to, .kind = KIND_REVERSAL,
        .base_cents = x->base_cents == INT_NONE ? INT_NONE : -x->base_cents, .amount_cents = -x->amount_cents,
        .employer_cents = -x->employer_cents, .employee_cents = -x->employee_cents, .status = CONTRIBUTION_READY};
    p->posted_seen[i] = true;
    return add(p, &sums->posted_cents, x->amount_cents) && write(p, &c, &sums->allocated_cents);
}

static bool post_portion(struct posting *p, const struct line *line, const struct portion *portion, struct invoice_sums *sums)
{
    struct contribution c = contribution_of(p, line, portion);
    if (c.amount_cents == 0 && c.employer_cents == 0 && c.base_cents != INT_NONE)
        c.base_cents = 0; /* what has become free takes its base back, too */
    bool ok = true, posted = !portion->hold && less_posted(p, &c, sums, &ok);
    c.kind = (uint8_t)kind_of(p, line, &c, posted);
    return ok && write(p, &c, portion->hold ? &sums->held_cents : &sums->allocated_cents);
}

bool post_line(struct posting *p, const struct line *line, const struct portions *portions)
{
    const struct dataset *d = p->d;
    const struct invoice_line *l = &line->record;
    const int32_t invoice = line->state->invoice;
    struct invoice_sums *sums = &p->invoice[invoice];
    sums->line_count++;
    if (d->invoices.v[invoice].status != INVOICE_CANCELLED && !add(p, &sums->lines_cents, l->amount_cents))
        return false;
    for (uint32_t i = 0; i < portions->n; i++)
        if (!post_portion(p, line, &portions->v[i], sums))
            return false;
    for (uint32_t i = dataset_posted_from(d, l->line_id); i < d->posted.n && str_eq(d->posted.v[i].line_id, l->line_id); i++)
        if (!p->posted_seen[i] && !reverse(p, i, sums))
            return false;
    return true;
}

/* Lines are only known to be gone when their invoice is there with all the lines it announces, or cancelled; an invoice
 * that is itself gone takes nothing back, it is told. */
static bool gone_for_certain(struct posting *p, const struct posted *x, int64_t invoice)
{
    if (invoice != LOOKUP_NONE)
        return p->d->invoices.v[invoice].status == INVOICE_CANCELLED ||
               p->invoice[invoice].line_count >= p->d->invoices.v[invoice].line_count;
    struct discrepancy *found = findings_raise_on(p->f, DISC_feed_empty, SUBJECT_INVOICE, x->invoice_id);
    found->invoice_id = x->invoice_id;
    finding_add_line(found, x->line_id, INT_NONE, x->amount_cents, 0);
    return false;
}

bool post_vanished_lines(struct posting *p)
{
    const struct dataset *d = p->d;
    for (uint32_t i = 0; i < d->posted.n; i++) {
        const struct posted *x = &d->posted.v[i];
        if (p->posted_seen[i] || x->billing_month < d->rules->first_billing || !dataset_billing_counts(d, x->billing_month))
            continue;
        int64_t invoice = lookup_find(&d->invoice_by_id, x->invoice_id);
        if (gone_for_certain(p, x, invoice) && !reverse(p, i, &p->invoice[invoice]))
            return false;
    }
    return true;
}

bool post_check(const struct posting *p)
{
    for (uint32_t i = 0; i < p->d->invoices.n; i++) {
        const struct invoice_sums *s = &p->invoice[i];
        if (s->lines_cents != s->allocated_cents + s->posted_cents + s->held_cents)
            return err_set(p->err, ERR_DATA,
                           "invoice %.*s: its lines add up to %lld cents, but %lld allocated, %lld posted, %lld held",
                           (int)p->d->invoices.v[i].invoice_id.len, p->d->invoices.v[i].invoice_id.p,
                           (long long)s->lines_cents, (long long)s->allocated_cents, (long long)s->posted_cents,
                           (long long)s->held_cents);
    }
    return true;
}
