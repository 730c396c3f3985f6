#include "transform/watch.h"

#include <stdlib.h>

#include "transform/cover.h"

static uint64_t kind_of_line(const struct line_state *state, const struct invoice_line *l)
{
    uint64_t h = 14695981039346656037u ^ (uint64_t)state->contract << 16 ^ (uint64_t)l->member_type << 8 ^ l->basis;
    for (uint32_t i = 0; i < l->option_code.len; i++)
        h = (h ^ (unsigned char)l->option_code.p[i]) * 1099511628211u;
    return h * 0x9E3779B97F4A7C15u;
}

void watch_line(struct watch *w, const struct line *line)
{
    const struct dataset *d = w->d;
    const struct invoice_line *l = &line->record;
    const struct line_state *state = line->state;
    const struct invoice *invoice = &d->invoices.v[state->invoice];
    month_t now = d->rules->last_billing, cover = month_of(l->cover_from);
    if (state->member == NONE || state->contract == NONE || l->kind != LINE_RECURRING || state->duplicate ||
        invoice->status == INVOICE_CANCELLED)
        return;
    if (overlaps(l->cover_from, l->cover_to, d->rules->billing_days.first, d->rules->billing_days.last)) {
        const struct insured *m = &d->members.v[state->member];
        w->contract_billed[state->contract] = true;
        for (uint32_t a = m->first_affiliation; a < m->first_affiliation + m->n_affiliations; a++)
            d->affiliations.v[a].billed |= d->affiliations.v[a].contract == state->contract;
    }
    struct watched_member *m = &w->member[state->member];
    if (cover != invoice->billing_month || (cover != now && cover != now - 1))
        return;
    if (!money_add(cover == now ? &m->now_cents : &m->before_cents, l->amount_cents))
        return;  /* refused where the invoice is added up */
    *(cover == now ? &m->now_kinds : &m->before_kinds) += kind_of_line(state, l);
}

void watch_init(struct watch *w, struct dataset *d)
{
    struct arena *a = d->arena;
    *w = (struct watch){.d = d, .issued_last = DATE_NONE,
                        .member = arena_alloc(a, d->members.n * sizeof *w->member),
                        .employment = arena_alloc(a, d->employments.n * sizeof *w->employment),
                        .contract_billed = arena_alloc(a, d->contracts.n * sizeof *w->contract_billed)};
    for (uint32_t i = 0; i < d->invoices.n; i++)
        if (d->invoices.v[i].type == INVOICE_INVOICE && d->invoices.v[i].billing_month == d->rules->last_billing &&
            d->invoices.v[i].issued_on > w->issued_last)
            w->issued_last = d->invoices.v[i].issued_on;
}

void watch_portions(struct watch *w, const struct line *line, const struct portions *portions)
{
    const struct dataset *d = w->d;
    int32_t contract = line->state->contract;
    if (contract == NONE || d->contracts.v[contract].product != PRODUCT_PROVIDENT)
        return;
    for (uint32_t i = 0; i < portions->n; i++) {
        const struct portion *p = &portions->v[i];
        enum basis basis = (enum basis)line->record.basis;
        if (p->employment == NONE || p->hold || p->cover.month != d->rules->last_billing || basis == BASIS_T2 ||
            basis == BASIS_TB)
            continue;
        struct watched_employment *e = &w->employment[p->employment];
        int64_t base = base_rounded(p->base);
        if (basis == BASIS_T1 && base != INT_NONE && base > e->t1_cents)
            e->t1_cents = base;
        if (!money_add(&e->employer_cents, p->employer_cents))
            return;
    }
}

/* The employment of a matched member that runs in the billing month, or NONE. */
static int32_t employment_of(const struct dataset *d, const struct insured *m)
{
    date_t first = d->rules->billing_days.first, last = d->rules->billing_days.last;
    if (m->person == NONE)
        return NONE;
    const struct person *p = &d->persons.v[m->person];
    for (uint32_t i = p->first_employment; i < p->first_employment + p->n_employments; i++)
        if (overlaps(d->employments.v[i].starts_on, d->employments.v[i].ends_on, first, last))
            return (int32_t)i;
    return NONE;
}

static struct about about_cover(const struct watch *w, int32_t member, int32_t employment, int32_t contract)
{
    struct about about = ABOUT_NOTHING;
    about.member = member;
    about.employment = employment;
    about.contract = contract;
    about.cover_month = w->d->rules->last_billing;
    return about;
}

/* Cover that was there, and known, when the month was billed. */
static bool due(const struct watch *w, const struct affiliated *a, int32_t contract)
{
    const struct dataset *d = w->d;
    return a->status == AFFILIATION_ACTIVE && contract != NONE && w->contract_billed[contract] &&
           overlaps(a->starts_on, a->ends_on, d->rules->billing_days.first, d->rules->billing_days.last) &&
           a->starts_on <= w->issued_last &&
           (a->updated_on == DATE_NONE || a->updated_on <= w->issued_last);
}

static void check_billed(struct watch *w, struct findings *f, int32_t member, int32_t employment)
{
    const struct dataset *d = w->d;
    const struct insured *m = &d->members.v[member];
    struct exemption exemption;
    for (uint32_t i = m->first_affiliation; i < m->first_affiliation + m->n_affiliations; i++) {
        const struct affiliated *a = &d->affiliations.v[i];
        int32_t contract = a->contract;
        if (a->billed || !due(w, a, contract))
            continue;
        if (d->contracts.v[contract].product == PRODUCT_HEALTH &&
            cover_exempt(d, employment, d->rules->billing_days.first, d->rules->billing_days.last, &exemption))
            continue;
        struct about about = about_cover(w, member, employment, contract);
        findings_raise(f, DISC_affiliated_not_billed, &about);
    }
}

/* A price that begins this month, or a change of the affiliation, explains another amount. */
static bool jump_explained(const struct watch *w, const struct insured *m)
{
    const struct dataset *d = w->d;
    date_t since = month_first(d->rules->last_billing - 1);
    for (uint32_t i = m->first_affiliation; i < m->first_affiliation + m->n_affiliations; i++) {
        const struct affiliated *a = &d->affiliations.v[i];
        if (a->starts_on >= since || (a->updated_on != DATE_NONE && a->updated_on >= since))
            return true;
        int32_t contract = a->contract;
        for (uint32_t t = 0; contract != NONE && t < d->contracts.v[contract].terms.n; t++)
            if (((const struct term *)list_at(d->contracts.v[contract].terms, sizeof(struct term), t))->valid_from > since)
                return true;
    }
    return m->amount_questioned;
}

static void check_jump(struct watch *w, struct findings *f, int32_t member, int32_t employment)
{
    const struct watched_member *x = &w->member[member];
    int64_t least = money_share(x->before_cents, w->d->rules->config->amount_jump_ppm);
    if (x->before_cents <= 0 || x->now_cents <= 0 || x->now_kinds != x->before_kinds ||
        llabs(x->now_cents - x->before_cents) <= least || jump_explained(w, &w->d->members.v[member]))
        return;
    struct about about = about_cover(w, member, employment, NONE);
    struct discrepancy *found = findings_raise(f, DISC_amount_jump, &about);
    finding_add_line(found, STR_NULL, x->before_cents, x->now_cents, 0);
}

static bool differ(struct str a, struct str b)
{
    return a.p && b.p && !str_eq(a, b);
}

static struct str codes(struct arena *a, struct str option, struct str population)
{
    return str_of(arena_printf(a, "%.*s / %.*s", option.p ? (int)option.len : 1, option.p ? option.p : "-",
                               population.p ? (int)population.len : 1, population.p ? population.p : "-"));
}

/* Compares an affiliation's codes with those of the payroll contracts of the same reference that the employment has. */
static void check_options(struct watch *w, struct findings *f, int32_t member, int32_t employment,
                          uint32_t affiliation)
{
    struct dataset *d = w->d;
    int32_t contract = d->affiliations.v[affiliation].contract;
    const struct assignable *other = NULL;
    struct affiliation a;
    if (contract == NONE)
        return;
    struct list ids = dataset_named(d, employment, (enum product)d->contracts.v[contract].product);
    if (ids.n)
        dataset_read_affiliation(d, &d->affiliations.v[affiliation], &a);
    for (uint32_t i = 0; i < ids.n; i++) {
        int64_t at = lookup_find(&d->payroll_contract_by_id, *(struct str *)list_at(ids, sizeof(struct str), i));
        const struct assignable *p = at == LOOKUP_NONE ? NULL : &d->payroll_contracts.v[at];
        if (!p || !str_eq(p->reference, d->contracts.v[contract].reference))
            continue;
        if (!differ(a.option_code, p->option_code) && !differ(a.population_code, p->population_code))
            return;
        other = p;
    }
    if (!other)
        return;
    struct about about = about_cover(w, member, employment, contract);
    struct discrepancy *found = findings_raise(f, DISC_option_mismatch, &about);
    found->expected = codes(d->arena, a.option_code, a.population_code);
    found->actual = codes(d->arena, other->option_code, other->population_code);
}

static void check_member(struct watch *w, struct findings *f, int32_t member)
{
    const struct dataset *d = w->d;
    const struct insured *m = &d->members.v[member];
    int32_t employment = employment_of(d, m);
    if (employment == NONE)
        return;
    check_jump(w, f, member, employment);
    if (w->issued_last != DATE_NONE)
        check_billed(w, f, member, employment);
    for (uint32_t i = m->first_affiliation; i < m->first_affiliation + m->n_affiliations; i++) {
        const struct affiliated *a = &d->affiliations.v[i];
        if (a->status == AFFILIATION_ACTIVE &&
            overlaps(a->starts_on, a->ends_on, d->rules->period_days.first, d->rules->period_days.last))
            check_options(w, f, member, employment, i);
    }
}

/* Collective agreement of 17 November 2017 (formerly 1947): 1.50 % of T1, by the employer alone. */
static void check_executive(struct watch *w, struct findings *f, uint32_t employment)
{
    const struct watched_employment *e = &w->employment[employment];
    int64_t least = money_share(e->t1_cents, w->d->rules->config->executive_minimum_ppm);
    if (w->d->employments.v[employment].category != CATEGORY_EXECUTIVE || e->t1_cents <= 0 || e->employer_cents >= least)
        return;
    struct about about = about_cover(w, NONE, (int32_t)employment, NONE);
    finding_add_line(findings_raise(f, DISC_executive_minimum_not_met, &about), STR_NULL, least, e->employer_cents, 0);
}

void watch_month(struct watch *w, struct findings *f)
{
    for (uint32_t i = 0; i < w->d->members.n; i++) {
        check_member(w, f, (int32_t)i);
        dataset_forget(w->d, i);
    }
    for (uint32_t i = 0; i < w->d->employments.n; i++)
        check_executive(w, f, i);
}
