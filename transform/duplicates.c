#include <stdlib.h>

#include "transform/allocate.h"

/* What makes two recurring lines the same charge. */
static bool same_charge(const struct invoice_line *a, const struct invoice_line *b)
{
    return a->amount_cents == b->amount_cents && a->member_type == b->member_type && a->basis == b->basis &&
           a->cover_from == b->cover_from && a->cover_to == b->cover_to && str_eq(a->member_id, b->member_id) &&
           str_eq(a->contract_id, b->contract_id) && str_eq(a->beneficiary_id, b->beneficiary_id) &&
           str_eq(a->option_code, b->option_code);
}

static bool same_line_charge(const struct dataset *d, const struct line_state *a, const struct line_state *b)
{
    struct invoice_line x, y;
    if (a->member != b->member || a->charge != b->charge)
        return false;
    dataset_read_line(d, a, &x);
    dataset_read_line(d, b, &y);
    return same_charge(&x, &y);
}

static uint32_t hash_charge(const struct line_state *a)
{
    uint64_t h = ((uint64_t)(uint32_t)a->member << 32 | a->charge) * 0x9E3779B97F4A7C15u;
    return (uint32_t)(h >> 32);
}

static bool cancelled(const struct dataset *d, const struct line_state *x)
{
    return d->invoices.v[x->invoice].status == INVOICE_CANCELLED;
}

/* Which of two lines was billed later: by billing month, day of issue, invoice, line. */
static bool later(const struct dataset *d, uint32_t a, uint32_t b)
{
    const struct invoice *x = &d->invoices.v[d->lines.v[a].invoice], *y = &d->invoices.v[d->lines.v[b].invoice];
    if (x->billing_month != y->billing_month)
        return x->billing_month > y->billing_month;
    if (x->issued_on != y->issued_on)
        return x->issued_on > y->issued_on;
    int way = str_cmp(x->invoice_id, y->invoice_id);
    return way ? way > 0 : a > b;
}

/* Adds up what adjustments make of their lines. */
static void add_adjustments(struct dataset *d)
{
    uint32_t n = 1, most = 1;
    for (uint32_t i = 0; i < d->lines.n; i++)
        most += d->lines.v[i].adjusts;
    d->adjusted_cents = arena_alloc(d->arena, most * sizeof *d->adjusted_cents);
    for (uint32_t i = 0; i < d->lines.n; i++) {
        struct invoice_line x;
        if (!d->lines.v[i].adjusts || cancelled(d, &d->lines.v[i]))
            continue;
        dataset_read_line(d, &d->lines.v[i], &x);
        int64_t at = dataset_line(d, x.adjusts_line_id);
        if (at == NONE)
            continue;
        if (!d->lines.v[at].adjusted)
            d->lines.v[at].adjusted = n++;
        /* An amount beyond 64 bits is refused where lines are added up. */
        (void)money_add(&d->adjusted_cents[d->lines.v[at].adjusted], x.amount_cents);
    }
}

static void mark_undone(struct dataset *d)
{
    add_adjustments(d);
    for (uint32_t i = 0; i < d->lines.n; i++) {
        struct invoice_line x;
        if (!d->lines.v[i].adjusted)
            continue;
        dataset_read_line(d, &d->lines.v[i], &x);
        d->lines.v[i].undone = d->adjusted_cents[d->lines.v[i].adjusted] == -x.amount_cents && x.amount_cents != 0;
    }
}

void allocate_mark_lines(struct dataset *d)
{
    uint32_t slots = 8;
    while (slots < d->lines.n * 2)
        slots *= 2;
    uint32_t *slot = mem_alloc(slots * sizeof *slot);
    mark_undone(d);
    for (uint32_t i = 0; i < d->lines.n; i++) {
        struct line_state *x = &d->lines.v[i];
        dataset_forget(d, i);
        if (!x->comparable || x->undone || cancelled(d, x))
            continue;
        uint32_t at = hash_charge(x) & (slots - 1);
        while (slot[at] && !same_line_charge(d, &d->lines.v[slot[at] - 1], x))
            at = (at + 1) & (slots - 1);
        uint32_t first = slot[at] && later(d, i, slot[at] - 1) ? slot[at] - 1 : i;
        if (slot[at])
            d->lines.v[first == i ? slot[at] - 1 : i].duplicate = true;
        slot[at] = first + 1;
    }
    free(slot);
}
