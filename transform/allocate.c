#include "transform/allocate.h"

#include <stdlib.h>

#include "transform/cover.h"
#include "transform/pay_base.h"

struct allocation {
    struct dataset *d;
    struct findings *f;
    const struct invoice_line *line;
    const struct line_state *state;
    const struct contract *contract;  /* NULL: unknown */
    struct portions *out;
    struct err *err;
};

static struct portion *add_portion(struct allocation *al, struct slice cover, int64_t base_cents, int64_t amount_cents)
{
    struct portions *out = al->out;
    if (out->n == out->cap) {
        uint32_t cap = out->cap ? out->cap * 2 : 16;
        struct portion *v = arena_alloc(al->d->arena, cap * sizeof *v);
        if (out->n)
            memcpy(v, out->v, out->n * sizeof *v);
        out->v = v;
        out->cap = cap;
    }
    out->v[out->n] = (struct portion){.employment = NONE, .cover = cover, .base = {base_cents, 1},
                                      .amount_cents = amount_cents, .employer_cents = amount_cents};
    return &out->v[out->n++];
}

/* Holds a portion and adds it to its discrepancy. Until somebody decides, all of it stands with the employer. */
static bool hold(struct allocation *al, struct portion *p, enum discrepancy_code code, const struct about *about)
{
    p->hold = code;
    if (!p->term) {
        p->employer_cents = p->amount_cents;
        p->employee_cents = 0;
    }
    struct discrepancy *x = findings_raise(al->f, code, about);
    if (finding_add_line(x, al->line->line_id, INT_NONE, INT_NONE, p->amount_cents))
        return true;
    return err_set(al->err, ERR_DATA, "amounts of %s add up beyond what 64 bits hold", catalogue[code].code);
}

/* About the person of a portion, as far as known. */
static struct about about_portion(const struct allocation *al, const struct portion *p)
{
    struct about about = ABOUT_NOTHING;
    about.employment = p->employment;
    about.member = al->state->member;
    about.contract = al->state->contract;
    about.contract_id = al->line->contract_id;
    about.invoice = al->state->invoice;
    about.cover_month = p->cover.month;
    return about;
}

static struct about about_contract(const struct allocation *al, const struct portion *p)
{
    struct about about = ABOUT_NOTHING;
    about.contract = al->state->contract;
    about.contract_id = al->line->contract_id;
    about.cover_month = p->cover.month;
    return about;
}

/* ---- which employment ---- */

static int32_t better_employment(const struct allocation *al, int32_t a, int32_t b, const struct slice *cover)
{
    const struct dataset *d = al->d;
    if (a == NONE || b == NONE)
        return a == NONE ? b : a;
    enum product product = (enum product)al->contract->product;
    bool a_has = dataset_assigned(d, a, product, al->contract->reference);
    bool b_has = dataset_assigned(d, b, product, al->contract->reference);
    if (a_has != b_has)
        return a_has ? a : b;
    bool a_begins = overlaps(d->employments.v[a].starts_on, d->employments.v[a].ends_on, cover->from, cover->from);
    bool b_begins = overlaps(d->employments.v[b].starts_on, d->employments.v[b].ends_on, cover->from, cover->from);
    return b_begins && !a_begins ? b : a;
}

/* Days before the first of somebody's employments or after the last of them. */
static enum discrepancy_code outside_employments(const struct dataset *d, const struct person *who, const struct slice *cover)
{
    const struct employed *e = &d->employments.v[who->first_employment], *end = e + who->n_employments;
    if (cover->from < e->starts_on)
        return DISC_billed_before_entry;
    while (e < end && e->ends_on != DATE_NONE && e->ends_on < cover->to)
        e++;
    return e == end ? DISC_billed_after_exit : DISC_NULL;
}

/* The employment of the cover month; where there is none, the nearest one, and the code that says so. Inside the month
 * the days count only for a contract that prorates: under `none` a month begun is due. */
static enum discrepancy_code choose_employment(const struct allocation *al, int32_t person, struct portion *p)
{
    const struct dataset *d = al->d;
    const struct person *who = &d->persons.v[person];
    const date_t first = month_first(p->cover.month), last = month_last(p->cover.month);
    int32_t best = NONE, before = NONE, after = NONE;
    for (uint32_t i = who->first_employment; i < who->first_employment + who->n_employments; i++) {
        const struct employed *e = &d->employments.v[i];
        if (overlaps(e->starts_on, e->ends_on, first, last))
            best = better_employment(al, best, (int32_t)i, &p->cover);
        else if (e->starts_on > p->cover.to)
            after = after == NONE ? (int32_t)i : after;
        else
            before = (int32_t)i;
    }
    p->employment = best != NONE ? best : before != NONE ? before : after;
    if (best == NONE)
        return before != NONE ? DISC_billed_after_exit : DISC_billed_before_entry;
    return al->contract->proration == PRORATION_NONE ? DISC_NULL : outside_employments(d, who, &p->cover);
}

/* ---- who pays ---- */

/* What no term fits, in codes; payroll.term_text puts it in words. */
static struct str describe_query(const struct allocation *al, const struct term_query *q)
{
    struct str option = q->option_code.p ? q->option_code : str_of("-");
    struct str population = q->population_code.p ? q->population_code : str_of("-");
    return str_of(arena_printf(al->d->arena, "%s / %s / %s / %.*s / %.*s",
                               member_type_enumeration.names[q->member_type], basis_enumeration.names[q->basis],
                               q->category ? category_enumeration.names[q->category] : "-", (int)option.len, option.p,
                               (int)population.len, population.p));
}

/* Finds the term and splits; without one the portion keeps all with the employer. */
static struct term_query split_portion(const struct allocation *al, struct portion *p)
{
    const struct invoice_line *line = al->line;
    enum category category = (enum category)line->category;
    if ((category == category_null || category == CATEGORY_ALL) && p->employment != NONE)
        category = (enum category)al->d->employments.v[p->employment].category;
    struct term_query q = {line->option_code, line->population_code, category, (enum member_type)line->member_type,
                           (enum basis)line->basis, p->cover.from};
    p->term = split_term(al->contract, &q);
    if (p->term) {
        struct shares shares = split_amount(p->amount_cents, p->base, p->term);
        p->employer_cents = shares.employer_cents;
        p->employee_cents = shares.employee_cents;
    }
    return q;
}

static bool hold_without_term(struct allocation *al, struct portion *p, const struct term_query *q)
{
    struct about about = about_contract(al, p);
    struct discrepancy *x = findings_raise(al->f, DISC_split_rule_missing, &about);
    if (!x->expected.p)
        x->expected = describe_query(al, q);
    return hold(al, p, DISC_split_rule_missing, &about);
}

/* ---- a member's portion ---- */

/* The base of a percentage line: as billed, else worked out from payroll's. */
static bool find_base(const struct allocation *al, struct portion *p)
{
    if (p->base.cents != INT_NONE || al->line->basis == BASIS_FIXED || p->employment == NONE)
        return true;
    return pay_base_of(al->d, p->employment, (enum basis)al->line->basis, p->cover.month, &p->base, al->err);
}

/* What keeps a portion of a matched member from a payslip, or DISC_NULL. */
static enum discrepancy_code obstacle(struct allocation *al, const struct portion *p, enum discrepancy_code employment)
{
    struct dataset *d = al->d;
    struct exemption exemption;
    if (al->state->duplicate)
        return DISC_duplicate_line;
    const struct affiliated *a = cover_affiliation(d, al->state->member, (enum product)al->contract->product,
                                                    al->state->contract, p->cover.from, p->cover.to);
    if (a && a->status == AFFILIATION_PORTABILITY)
        return DISC_portability_billed;
    if (employment)
        return employment;
    if (al->contract->product == PRODUCT_HEALTH && cover_exempt(d, p->employment, p->cover.from, p->cover.to, &exemption)) {
        /* beyond 64 bits, hold() says so */
        (void)money_add(&d->persons.v[d->employments.v[p->employment].person].exempt_held_cents, p->amount_cents);
        return DISC_exempt_but_billed;
    }
    return al->line->basis != BASIS_FIXED && p->base.cents == INT_NONE ? DISC_base_missing : DISC_NULL;
}

static bool settle_member_portion(struct allocation *al, struct portion *p)
{
    const struct insured *m = &al->d->members.v[al->state->member];
    enum discrepancy_code employment = DISC_NULL;
    if (m->person != NONE)
        employment = choose_employment(al, m->person, p);
    if (!find_base(al, p))
        return false;
    struct term_query q = split_portion(al, p);
    if (m->person == NONE)
        return hold(al, p, (enum discrepancy_code)m->hold, &(struct about){.person = m->blamed_person, .employment = NONE,
                    .member = m->blamed_member, .contract = NONE, .invoice = NONE, .cover_month = MONTH_NONE});
    if (p->employment == NONE) {  /* an employee without any employment cannot be paid */
        struct about about = about_portion(al, p);
        about.person = m->person;
        return hold(al, p, DISC_billed_before_entry, &about);
    }
    enum discrepancy_code code = obstacle(al, p, employment);
    if (code) {
        struct about about = about_portion(al, p);
        return hold(al, p, code, &about);
    }
    return p->term || hold_without_term(al, p, &q);
}

/* ---- a line for the whole company ---- */

/* Whom a line for the whole company is for: its category, working in the month, and for health not exempt. */
static bool concerned(const struct allocation *al, uint32_t employment, const struct slice *cover)
{
    const struct dataset *d = al->d;
    const struct employed *e = &d->employments.v[employment];
    struct exemption exemption;
    if (e->person == NONE || !overlaps(e->starts_on, e->ends_on, cover->from, cover->to))
        return false;
    if (al->line->category != category_null && al->line->category != CATEGORY_ALL && al->line->category != e->category)
        return false;
    return al->contract->product != PRODUCT_HEALTH ||
           !cover_exempt(d, (int32_t)employment, cover->from, cover->to, &exemption);
}

/* Employments by id, because ties of a spread go by employment_id; employments stand by employee in the dataset. */
static int compare_employments(const void *a, const void *b, void *arg)
{
    const struct dataset *d = arg;
    return str_cmp(d->employments.v[*(const uint32_t *)a].employment_id,
                   d->employments.v[*(const uint32_t *)b].employment_id);
}

/* Everybody of the line's category in the month with their base; *ret_missing counts those who have none to weigh by. */
static bool company_bases(const struct allocation *al, const struct slice *cover, uint32_t *who, struct base *base,
                          uint32_t *ret_n, uint32_t *ret_missing)
{
    struct dataset *d = al->d;
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->employments.n; i++)
        if (concerned(al, i, cover))
            who[n++] = i;
    qsort_r(who, n, sizeof *who, compare_employments, d);
    *ret_n = n;
    *ret_missing = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct portion p = {.employment = (int32_t)who[i], .cover = *cover, .base = BASE_NONE};
        if (!find_base(al, &p))
            return false;
        base[i] = p.base;
        *ret_missing += al->line->basis != BASIS_FIXED && (p.base.cents == INT_NONE || p.base.cents < 0);
    }
    return true;
}

/* Parts of amount by base, or equal ones where the line is a fixed amount. All bases of one basis and month are in the same
 * fraction of a cent, so they weigh as they are, not rounded. */
static bool spread(const struct allocation *al, int64_t amount_cents, const struct base *base, uint32_t n, int64_t *part)
{
    int64_t *weight = mem_take(n * sizeof *weight);
    for (uint32_t i = 0; i < n; i++)
        weight[i] = al->line->basis == BASIS_FIXED ? 1 : base[i].cents;
    bool ok = money_spread(amount_cents, weight, n, part);
    free(weight);
    return ok;
}

static bool hold_company_slice(struct allocation *al, const struct slice *cover, int64_t base_cents, int64_t amount_cents,
                               uint32_t missing, uint32_t n)
{
    struct portion *p = add_portion(al, *cover, base_cents, amount_cents);
    struct about about = about_contract(al, p);
    findings_raise(al->f, DISC_base_missing, &about)->actual =
        str_of(arena_printf(al->d->arena, "%u of %u employments", missing, n));
    return hold(al, p, DISC_base_missing, &about);
}

/* Those concerned, with their bases and their parts of the amount. */
struct everybody {
    uint32_t *who;
    struct base *base;
    int64_t *part;
};

static bool spread_over(struct allocation *al, const struct everybody *all, const struct slice *cover, int64_t base_cents,
                        int64_t amount_cents)
{
    uint32_t n, missing;
    if (!company_bases(al, cover, all->who, all->base, &n, &missing))
        return false;
    if (missing || !spread(al, amount_cents, all->base, n, all->part))
        return hold_company_slice(al, cover, base_cents, amount_cents, missing, n);
    for (uint32_t i = 0; i < n; i++) {
        struct portion *p = add_portion(al, *cover, INT_NONE, all->part[i]);
        p->base = all->base[i];
        p->employment = (int32_t)all->who[i];
        struct term_query q = split_portion(al, p);
        if (!p->term && !hold_without_term(al, p, &q))
            return false;
    }
    return true;
}

static bool spread_company_slice(struct allocation *al, const struct slice *cover, int64_t base_cents, int64_t amount_cents)
{
    uint32_t most = al->d->employments.n;
    struct everybody all = {mem_take(most * sizeof *all.who), mem_take(most * sizeof *all.base),
                            mem_take(most * sizeof *all.part)};
    bool ok = spread_over(al, &all, cover, base_cents, amount_cents);
    free(all.who);
    free(all.base);
    free(all.part);
    return ok;
}

/* ---- a line ---- */

/* A line with somebody's name or number but no member id is not the whole company's. */
static bool names_nobody(const struct invoice_line *line)
{
    return !line->member_id.p && !line->nir.p && !line->first_name.p && !line->last_name.p &&
           line->birth_date == DATE_NONE;
}

static bool settle_slice(struct allocation *al, const struct slice *cover, int64_t base_cents, int64_t amount_cents)
{
    if (al->contract && names_nobody(al->line))
        return spread_company_slice(al, cover, base_cents, amount_cents);
    struct portion *p = add_portion(al, *cover, base_cents, amount_cents);
    if (!al->contract) {
        struct about about = about_contract(al, p);
        return hold(al, p, DISC_contract_unknown, &about);
    }
    if (al->state->member == NONE) {
        struct about about = ABOUT_NOTHING;
        about.invoice = al->state->invoice;
        return hold(al, p, DISC_member_not_in_payroll, &about);
    }
    return settle_member_portion(al, p);
}

static struct slice whole_period(const struct invoice_line *line)
{
    month_t month = month_of(line->cover_from);
    date_t last = month_last(month);
    return (struct slice){month, line->cover_from, line->cover_to < last ? line->cover_to : last, SLICE_WHOLE_MONTH};
}

/* Cuts amount and base over the months of the cover period, to the cent. */
static bool settle_months(struct allocation *al)
{
    struct slice slices[SLICES_MAX];
    int64_t weight[SLICES_MAX], amount[SLICES_MAX], base[SLICES_MAX];
    const struct invoice_line *line = al->line;
    enum proration proration = al->contract ? (enum proration)al->contract->proration : PRORATION_NONE;
    int n = split_months(line->cover_from, line->cover_to, proration, slices);
    for (int i = 0; i < n; i++) {
        weight[i] = slices[i].weight;
        base[i] = INT_NONE;
    }
    if (!money_spread(line->amount_cents, weight, (size_t)n, amount) ||
        (line->base_cents != INT_NONE && !money_spread(line->base_cents, weight, (size_t)n, base)))
        return err_set(al->err, ERR_BUG, "invoice line %.*s: a period without weight", (int)line->line_id.len,
                       line->line_id.p);
    for (int i = 0; i < n; i++)
        if (!settle_slice(al, &slices[i], base[i], amount[i]))
            return false;
    return true;
}

bool allocate_line(struct dataset *d, struct findings *f, const struct line *line, struct portions *ret, struct err *err)
{
    const struct line_state *state = line->state;
    struct allocation al = {d, f, &line->record, state,
                            state->contract == NONE ? NULL : &d->contracts.v[state->contract], ret, err};
    ret->n = 0;
    if (d->invoices.v[state->invoice].status == INVOICE_CANCELLED)
        return true;
    if (al.line->kind == LINE_FEE) {
        add_portion(&al, whole_period(al.line), INT_NONE, al.line->amount_cents);
        return true;
    }
    return settle_months(&al);
}
