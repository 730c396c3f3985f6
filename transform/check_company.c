#include "transform/check.h"
#include "transform/cover.h"

/* Digits of a SIREN that may carry spaces, compared with one that does not. */
static bool same_siren(struct str written, struct str siren)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < written.len; i++) {
        if (written.p[i] < '0' || written.p[i] > '9')
            continue;
        if (at == siren.len || siren.p[at++] != written.p[i])
            return false;
    }
    return at == siren.len;
}

/* The company's SIREN, or one it had until `on` or later. */
static bool siren_of_company(const struct dataset *d, struct str siren, date_t on)
{
    if (same_siren(siren, d->company.siren))
        return true;
    for (uint32_t i = 0; i < d->company.previous_sirens.n; i++) {
        const struct previous_siren *p = list_at(d->company.previous_sirens, sizeof *p, i);
        if (same_siren(siren, p->siren) && (p->until == DATE_NONE || on <= p->until))
            return true;
    }
    return false;
}

static void check_siren(struct dataset *d, struct findings *f, const struct about *about, struct str siren, date_t on)
{
    if (!siren.p || siren_of_company(d, siren, on))
        return;
    struct discrepancy *x = findings_raise(f, DISC_siren_mismatch, about);
    x->expected = d->company.siren;
    x->actual = siren;
}

static bool raise_totals(struct dataset *d, struct findings *f, uint32_t i, const struct invoice_sums *sums, int64_t total,
                         int64_t difference)
{
    const struct invoice *invoice = &d->invoices.v[i];
    struct about about = ABOUT_NOTHING;
    about.invoice = (int32_t)i;
    int64_t tolerance = d->rules->config->tolerance_invoice_cents;
    if (difference > tolerance || difference < -tolerance)
        if (!finding_add_line(findings_raise(f, DISC_invoice_total_mismatch, &about), STR_NULL, total, sums->lines_cents, 0))
            return false;
    if (invoice->line_count != sums->line_count) {
        struct discrepancy *x = findings_raise(f, DISC_line_count_mismatch, &about);
        x->expected = str_of(arena_printf(d->arena, "%lld", (long long)invoice->line_count));
        x->actual = str_of(arena_printf(d->arena, "%lld", (long long)sums->line_count));
    }
    return true;
}

bool check_invoices(struct dataset *d, struct findings *f, const struct posting *p, struct err *err)
{
    for (uint32_t i = 0; i < d->invoices.n; i++) {
        const struct invoice *invoice = &d->invoices.v[i];
        const struct invoice_sums *sums = &p->invoice[i];
        if (!dataset_billing_counts(d, invoice->billing_month))
            continue;
        bool cancelled = invoice->status == INVOICE_CANCELLED;
        int64_t total = cancelled ? 0 : invoice->total_cents, difference;
        bool countable = !__builtin_sub_overflow(total, sums->lines_cents, &difference);
        struct invoice_control control = {
            d->company.company_id, d->rules->period, invoice->invoice_id, invoice->billing_month, sums->line_count, total,
            sums->lines_cents, sums->allocated_cents, sums->posted_cents, sums->held_cents, difference};
        struct about about = ABOUT_NOTHING;
        about.invoice = (int32_t)i;
        if (!countable || (!cancelled && !raise_totals(d, f, i, sums, total, difference)))
            return err_set(err, ERR_DATA, "invoice %.*s: its amounts are beyond what 64 bits hold",
                           (int)invoice->invoice_id.len, invoice->invoice_id.p);
        check_siren(d, f, &about, invoice->siren, invoice->issued_on);
        if (!p->closed && !part_put(d->part, &invoice_control_record, &control, err))
            return false;
    }
    return true;
}

/* The day of the month on which the last invoice came, a month later, has passed, and still there is none. */
void check_feed(struct dataset *d, struct findings *f)
{
    date_t last_issued = DATE_NONE;
    month_t billing = d->rules->last_billing;
    for (uint32_t i = 0; i < d->invoices.n; i++) {
        const struct invoice *invoice = &d->invoices.v[i];
        if (invoice->billing_month >= billing)
            return;
        if (invoice->billing_month == billing - 1 && (last_issued == DATE_NONE || invoice->issued_on > last_issued))
            last_issued = invoice->issued_on;
    }
    if (last_issued == DATE_NONE)
        return;
    date_t expected = last_issued + month_days(month_of(last_issued));
    if (d->rules->today <= expected + d->rules->config->grace_change_days)
        return;
    struct about about = ABOUT_NOTHING;
    about.cover_month = billing;
    findings_raise(f, DISC_feed_empty, &about);
}

static bool ended(const struct dataset *d, const struct contract *c)
{
    return c->status == CONTRACT_TERMINATED || (c->valid_to != DATE_NONE && c->valid_to < d->rules->period_days.first);
}

static bool same_codes(const struct contract *c, const struct assignable *p)
{
    return c->product == p->product && str_eq(c->reference, p->reference);
}

/* Payroll still holds a reference that only ended contracts of Alan have. */
static void check_superseded(struct dataset *d, struct findings *f, uint32_t contract)
{
    bool held = false;
    for (uint32_t i = 0; i < d->payroll_contracts.n; i++)
        held |= same_codes(&d->contracts.v[contract], &d->payroll_contracts.v[i]);
    for (uint32_t i = 0; held && i < d->contracts.n; i++)
        if (!ended(d, &d->contracts.v[i]) && d->contracts.v[i].product == d->contracts.v[contract].product &&
            str_eq(d->contracts.v[i].reference, d->contracts.v[contract].reference))
            return;
    if (!held)
        return;
    struct about about = ABOUT_NOTHING;
    about.contract = (int32_t)contract;
    struct discrepancy *x = findings_raise(f, DISC_contract_superseded, &about);
    x->actual = d->contracts.v[contract].reference;
}

/* A contract that Alan has had for a few days only need not be in payroll yet. */
static void check_new(struct dataset *d, struct findings *f, uint32_t contract)
{
    const struct contract *c = &d->contracts.v[contract];
    if (!cover_contract_new(d, c))
        return;
    for (uint32_t i = 0; i < d->payroll_contracts.n; i++)
        if (same_codes(c, &d->payroll_contracts.v[i]))
            return;
    struct about about = ABOUT_NOTHING;
    about.contract = (int32_t)contract;
    struct discrepancy *x = findings_raise(f, DISC_pending_synchronisation, &about);
    x->expected = c->reference;
    finding_side(x, SIDE_PAYROLL);
}

void check_contracts(struct dataset *d, struct findings *f)
{
    for (uint32_t i = 0; i < d->contracts.n; i++) {
        const struct contract *c = &d->contracts.v[i];
        struct about about = ABOUT_NOTHING;
        about.contract = (int32_t)i;
        if (ended(d, c)) {
            check_superseded(d, f, i);
        } else {
            check_siren(d, f, &about, c->siren, d->rules->today);
            check_new(d, f, i);
        }
    }
}

void check_sources(struct dataset *d, struct findings *f)
{
    for (uint32_t i = 0; i < d->company.sources.n; i++) {
        const struct source_sync *s = list_at(d->company.sources, sizeof *s, i);
        if (s->outcome != SYNC_OK || s->synced_at == INSTANT_NONE ||
            d->rules->as_of - s->synced_at <= d->rules->config->stale_after_s)
            continue;
        char text[INSTANT_TEXT_MAX];
        struct discrepancy *x = findings_raise_on(f, DISC_stale_synchronisation, SUBJECT_SOURCE, s->source);
        instant_text(s->synced_at, text);
        x->actual = str_of(arena_copy(d->arena, text, strlen(text)));
    }
}
