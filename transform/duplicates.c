#include "transform/allocate.h"

/* What makes two recurring lines the same charge. */
static bool same_charge(const struct invoice_line *a, const struct invoice_line *b)
{
    return a->amount_cents == b->amount_cents && a->member_type == b->member_type && a->basis == b->basis &&
           a->cover_from == b->cover_from && a->cover_to == b->cover_to && str_eq(a->member_id, b->member_id) &&
           str_eq(a->contract_id, b->contract_id) && str_eq(a->beneficiary_id, b->beneficiary_id) &&
           str_eq(a->option_code, b->option_code);
}

static uint32_t hash_charge(const struct invoice_line *a, int32_t member)
{
    uint32_t rest = (uint32_t)a->amount_cents ^ (uint32_t)a->cover_from << 7 ^ (uint32_t)a->member_type << 20;
    uint64_t h = ((uint64_t)(uint32_t)member << 32 | rest) * 0x9E3779B97F4A7C15u;
    return (uint32_t)(h >> 32);
}

/* Two children without an id of their own are no duplicate. */
static bool comparable(const struct dataset *d, uint32_t line)
{
    const struct invoice_line *x = &d->lines.v[line];
    return x->kind == LINE_RECURRING && x->member_id.p && !d->line_states[line].undone &&
           !(x->member_type == MEMBER_CHILD && !x->beneficiary_id.p) &&
           d->invoices.v[d->line_states[line].invoice].status != INVOICE_CANCELLED;
}

/* Which of two lines was billed later: by billing month, day of issue, invoice, line. */
static bool later(const struct dataset *d, uint32_t a, uint32_t b)
{
    const struct invoice *x = &d->invoices.v[d->line_states[a].invoice], *y = &d->invoices.v[d->line_states[b].invoice];
    if (x->billing_month != y->billing_month)
        return x->billing_month > y->billing_month;
    if (x->issued_on != y->issued_on)
        return x->issued_on > y->issued_on;
    int way = str_cmp(x->invoice_id, y->invoice_id);
    return way ? way > 0 : a > b;
}

static void mark_undone(struct dataset *d)
{
    for (uint32_t i = 0; i < d->lines.n; i++) {
        const struct invoice_line *x = &d->lines.v[i];
        int64_t adjusted = x->adjusts_line_id.p ? dataset_line(d, x->adjusts_line_id) : NONE;
        if (adjusted == NONE || d->invoices.v[d->line_states[i].invoice].status == INVOICE_CANCELLED)
            continue;
        /* An amount beyond 64 bits is refused where lines are added up. */
        (void)money_add(&d->line_states[adjusted].adjusted_cents, x->amount_cents);
    }
    for (uint32_t i = 0; i < d->lines.n; i++)
        d->line_states[i].undone = d->line_states[i].adjusted_cents == -d->lines.v[i].amount_cents &&
                                   d->lines.v[i].amount_cents != 0;
}

void allocate_mark_lines(struct dataset *d)
{
    uint32_t slots = 8;
    while (slots < d->lines.n * 2)
        slots *= 2;
    uint32_t *slot = arena_alloc(d->arena, slots * sizeof *slot);
    mark_undone(d);
    for (uint32_t i = 0; i < d->lines.n; i++) {
        if (!comparable(d, i))
            continue;
        uint32_t at = hash_charge(&d->lines.v[i], d->line_states[i].member) & (slots - 1);
        while (slot[at] && !same_charge(&d->lines.v[slot[at] - 1], &d->lines.v[i]))
            at = (at + 1) & (slots - 1);
        uint32_t first = slot[at] && later(d, i, slot[at] - 1) ? slot[at] - 1 : i;
        if (slot[at])
            d->line_states[first == i ? slot[at] - 1 : i].duplicate = true;
        slot[at] = first + 1;
    }
}
