#include "transform/findings.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 64 };

void findings_init(struct findings *f, struct dataset *d)
{
    *f = (struct findings){.d = d, .slot = arena_alloc(d->arena, FIRST_SLOTS * sizeof(uint32_t)), .mask = FIRST_SLOTS - 1};
}

static bool same_identity(const struct discrepancy *a, const struct discrepancy *b)
{
    return a->code == b->code && a->subject_type == b->subject_type && a->cover_month == b->cover_month &&
           str_eq(a->subject_id, b->subject_id) && str_eq(a->contract_id, b->contract_id);
}

static uint32_t hash_identity(const struct discrepancy *x)
{
    uint32_t h = HASH_START ^ x->code ^ (uint32_t)x->subject_type << 8 ^ (uint32_t)x->cover_month << 12;
    return hash_more(hash_more(h, x->subject_id), x->contract_id);
}

static void rehash(struct findings *f)
{
    f->mask = f->mask * 2 + 1;
    f->slot = arena_alloc(f->d->arena, (f->mask + 1) * sizeof(uint32_t));
    for (uint32_t i = 0; i < f->n; i++) {
        uint32_t at = hash_identity(&f->v[i]) & f->mask;
        while (f->slot[at])
            at = (at + 1) & f->mask;
        f->slot[at] = i + 1;
    }
}

static void grow(struct findings *f)
{
    if (f->n < f->cap)
        return;
    f->cap = f->cap ? f->cap * 2 : 32;
    struct discrepancy *v = arena_alloc(f->d->arena, f->cap * sizeof *v);
    if (f->n)
        memcpy(v, f->v, f->n * sizeof *v);
    f->v = v;
}

/* The same identity reached another way may know more of who is concerned. */
static struct discrepancy *refresh(struct discrepancy *x, const struct discrepancy *wanted)
{
    if (!x->member_id.p)
        x->member_id = wanted->member_id;
    if (!x->invoice_id.p)
        x->invoice_id = wanted->invoice_id;
    return x;
}

static struct discrepancy *find_or_add(struct findings *f, const struct discrepancy *wanted)
{
    if ((f->n + 1) * 2 > f->mask)
        rehash(f);
    uint32_t at = hash_identity(wanted) & f->mask;
    for (; f->slot[at]; at = (at + 1) & f->mask)
        if (same_identity(&f->v[f->slot[at] - 1], wanted))
            return refresh(&f->v[f->slot[at] - 1], wanted);
    grow(f);
    f->v[f->n] = *wanted;
    f->v[f->n].subject_id.p = arena_copy(f->d->arena, wanted->subject_id.p, wanted->subject_id.len);  /* is sorted by */
    f->slot[at] = f->n + 1;
    return &f->v[f->n++];
}

static struct discrepancy blank(const struct findings *f, enum discrepancy_code code)
{
    struct discrepancy x;
    record_init(&discrepancy_record, &x);
    x.company_id = f->d->company.company_id;
    x.payroll_month = f->d->rules->period;
    x.code = (uint8_t)code;
    x.severity = (uint8_t)catalogue[code].severity;
    x.step = catalogue[code].step ? catalogue[code].step : INT_NONE;
    x.line_count = 0;
    x.held_cents = 0;
    x.candidates = (struct list){NULL, 0};
    return x;
}

/* The employment under which a person without a given one is shown: of the payroll month, else the last one. */
static int32_t main_employment(const struct dataset *d, int32_t person)
{
    const struct person *p = &d->persons.v[person];
    if (!p->n_employments)
        return NONE;
    for (uint32_t i = p->first_employment; i < p->first_employment + p->n_employments; i++)
        if (overlaps(d->employments.v[i].starts_on, d->employments.v[i].ends_on, d->rules->period_days.first,
                     d->rules->period_days.last))
            return (int32_t)i;
    return (int32_t)(p->first_employment + p->n_employments - 1);
}

static void set_references(struct discrepancy *x, const struct dataset *d, const struct about *about, int32_t person,
                           int32_t employment)
{
    if (person != NONE)
        x->employee_id = d->persons.v[person].employee_id;
    if (employment != NONE)
        x->employment_id = d->employments.v[employment].employment_id;
    if (about->member != NONE)
        x->member_id = d->members.v[about->member].member_id;
    x->contract_id = about->contract != NONE ? d->contracts.v[about->contract].contract_id : about->contract_id;
    if (about->invoice != NONE)
        x->invoice_id = d->invoices.v[about->invoice].invoice_id;
    x->cover_month = about->cover_month;
}

static void set_subject(struct discrepancy *x)
{
    const struct { struct str id; enum subject_type type; } by_rank[] = {
        {x->employment_id, SUBJECT_EMPLOYMENT}, {x->employee_id, SUBJECT_EMPLOYEE}, {x->member_id, SUBJECT_MEMBER},
        {x->contract_id, SUBJECT_CONTRACT},     {x->invoice_id, SUBJECT_INVOICE},   {x->company_id, SUBJECT_COMPANY}};
    for (size_t i = 0; i < sizeof by_rank / sizeof *by_rank; i++)
        if (by_rank[i].id.p) {
            x->subject_id = by_rank[i].id;
            x->subject_type = (uint8_t)by_rank[i].type;
            return;
        }
}

struct discrepancy *findings_raise(struct findings *f, enum discrepancy_code code, const struct about *about)
{
    const struct dataset *d = f->d;
    int32_t person = about->person, employment = about->employment;
    if (employment != NONE)
        person = d->employments.v[employment].person;
    else if (person != NONE)
        employment = main_employment(d, person);
    struct discrepancy x = blank(f, code);
    set_references(&x, d, about, person, employment);
    set_subject(&x);
    return find_or_add(f, &x);
}

struct discrepancy *findings_raise_on(struct findings *f, enum discrepancy_code code, enum subject_type type,
                                      struct str subject_id)
{
    struct discrepancy x = blank(f, code);
    x.subject_type = (uint8_t)type;
    x.subject_id = subject_id;
    return find_or_add(f, &x);
}

static bool add_cents(int64_t *sum, int64_t cents)
{
    if (cents == INT_NONE)
        return true;
    if (*sum == INT_NONE)
        *sum = 0;
    return money_add(sum, cents);
}

bool finding_add_line(struct discrepancy *x, struct str line_id, int64_t expected_cents, int64_t actual_cents,
                      int64_t held_cents)
{
    if (x->line_count++ == 0)
        x->line_id = line_id;
    if (!add_cents(&x->expected_cents, expected_cents) || !add_cents(&x->actual_cents, actual_cents) ||
        !money_add(&x->held_cents, held_cents))
        return false;
    if (x->expected_cents != INT_NONE && x->actual_cents != INT_NONE)
        return !__builtin_sub_overflow(x->actual_cents, x->expected_cents, &x->delta_cents);
    return true;
}

void finding_side(struct discrepancy *x, enum side side)
{
    x->side = (uint8_t)(x->side == side_null || x->side == side ? side : SIDE_BOTH);
}

static int compare_findings(const void *a, const void *b)
{
    const struct discrepancy *x = a, *y = b;
    if (x->code != y->code)
        return x->code < y->code ? -1 : 1;
    if (x->subject_type != y->subject_type)
        return x->subject_type < y->subject_type ? -1 : 1;
    int way = str_cmp(x->subject_id, y->subject_id);
    if (!way)
        way = str_cmp(x->contract_id, y->contract_id);
    return way ? way : (x->cover_month > y->cover_month) - (x->cover_month < y->cover_month);
}

/* What was billed wrongly and credited again holds nothing: there is nothing left to do. */
static bool settled(const struct discrepancy *x)
{
    return x->held_cents == 0 && (x->code == DISC_billed_before_entry || x->code == DISC_billed_after_exit ||
                                  x->code == DISC_portability_billed || x->code == DISC_exempt_but_billed ||
                                  (x->line_count > 1 && (x->code == DISC_member_not_in_payroll ||
                                                         x->code == DISC_contract_unknown ||
                                                         x->code == DISC_split_rule_missing ||
                                                         x->code == DISC_base_missing)));
}

bool findings_write(struct findings *f, int64_t found[severity_count], struct err *err)
{
    if (f->n)
        qsort(f->v, f->n, sizeof *f->v, compare_findings);
    for (uint32_t i = 0; i < f->n; i++) {
        dataset_forget(f->d, i * FAR_APART);
        if (settled(&f->v[i]))
            continue;
        if (!part_put(f->d->part, &discrepancy_record, &f->v[i], err))
            return false;
        found[f->v[i].severity]++;
    }
    return true;
}
