/* Who has which payroll contract: payroll tells it at the employment, or in the contract's own list. */
#include <stdlib.h>

#include "common/sort.h"
#include "transform/reading.h"

/* ---- at the employment ---- */

static bool same_ids(struct list a, struct list b)
{
    for (uint32_t i = 0; a.n == b.n && i < a.n; i++)
        if (!str_eq(((struct str *)a.v)[i], ((struct str *)b.v)[i]))
            return false;
    return a.n == b.n;
}

static uint32_t hash_ids(uint32_t h, struct list ids)
{
    for (uint32_t i = 0; i < ids.n; i++)
        h = hash_more(h, ((struct str *)ids.v)[i]);
    return (h ^ h >> 15) * 16777619u;
}

uint32_t assignments_named(struct naming *naming, struct scan *s, const struct employment *e)
{
    struct dataset *d = naming->d;
    uint32_t hash = hash_ids(hash_ids(HASH_START, e->health_contract_ids), e->provident_contract_ids);
    uint32_t *last = &naming->last[hash % NAMING_LAST];
    const struct named *same = *last < d->named.n ? &d->named.v[*last] : NULL;
    if (same && same_ids(same->health_contract_ids, e->health_contract_ids) &&
        same_ids(same->provident_contract_ids, e->provident_contract_ids)) {
        scan_drop_lists(s);
        return *last;
    }
    struct list all = {d->named.v, d->named.n};
    *(struct named *)list_grow(&all, &naming->cap, sizeof *d->named.v, d->arena) =
        (struct named){e->health_contract_ids, e->provident_contract_ids};
    d->named.v = all.v;
    *last = d->named.n++;
    return *last;
}

/* ---- at the contract ---- */

static int compare_positions(const void *a, const void *b, void *unused)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    (void)unused;
    return (x > y) - (x < y);
}

/* Keeps who is listed as positions: a quarter of what the list takes. */
static void keep_listed(struct dataset *d, struct scan *s, struct list employment_ids, struct assignable *c)
{
    uint32_t *listed = mem_take(employment_ids.n * sizeof *listed);
    for (uint32_t i = 0; i < employment_ids.n; i++) {
        int64_t at = lookup_find(&d->employment_by_id, ((struct str *)employment_ids.v)[i]);
        if (at != LOOKUP_NONE)
            listed[c->n_listed++] = (uint32_t)at;
    }
    sort_if_needed(listed, c->n_listed, sizeof *listed, compare_positions, NULL);
    scan_drop_lists(s);
    c->listed = arena_raw(d->arena, c->n_listed * sizeof *listed);
    if (c->n_listed)
        memcpy(c->listed, listed, c->n_listed * sizeof *listed);
    free(listed);
}

bool read_payroll_contracts(struct reading *rd)
{
    struct dataset *d = rd->d;
    struct scan s;
    struct payroll_contract c;
    uint32_t rejects_before = rd->rejects.n, *n = &d->payroll_contracts.n;
    bool sorted = true;
    scan_begin(&s, rd->in, &d->company, &payroll_contract_record, d->arena, &rd->rejects);
    struct assignable *v = d->payroll_contracts.v = arena_raw(d->arena, (size_t)s.rows * sizeof *v);
    for (; scan_next(&s, &c); ++*n) {
        v[*n] = (struct assignable){.at = scan_keep(&s, &c), .payroll_contract_id = c.payroll_contract_id,
                                    .product = c.product, .reference = c.reference, .option_code = c.option_code,
                                    .population_code = c.population_code};
        sorted = sorted && (!*n || str_cmp(v[*n - 1].payroll_contract_id, c.payroll_contract_id) <= 0);
        keep_listed(d, &s, c.employment_ids, &v[*n]);
    }
    if (!sorted)
        sort_kept(&s.lines, v, *n, sizeof *v, ORDER(BY(payroll_contract, payroll_contract_id)), d->arena);
    return pass_kept(rd, &s.lines, v, *n, sizeof *v, sorted && rd->rejects.n == rejects_before);
}

/* ---- either ---- */

void mark_assigned(struct dataset *d)
{
    d->assignments_known = d->payroll_contracts.n > 0;
    for (uint32_t i = 0; i < d->employments.n; i++)
        d->assignments_known |= d->employments.v[i].health_assigned;
    for (uint32_t i = 0; i < d->payroll_contracts.n; i++) {
        const struct assignable *c = &d->payroll_contracts.v[i];
        for (uint32_t k = 0; c->product == PRODUCT_HEALTH && k < c->n_listed; k++)
            d->employments.v[c->listed[k]].health_assigned = true;
    }
}

static bool names(struct list ids, struct str payroll_contract_id)
{
    for (uint32_t i = 0; i < ids.n; i++)
        if (str_eq(((struct str *)ids.v)[i], payroll_contract_id))
            return true;
    return false;
}

static bool lists(const struct assignable *c, uint32_t employment)
{
    uint32_t low = 0, high = c->n_listed;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (c->listed[middle] < employment)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->n_listed && c->listed[low] == employment;
}

bool dataset_assigned(const struct dataset *d, int32_t employment, enum product product, struct str reference)
{
    struct list ids = dataset_named(d, employment, product);
    for (uint32_t i = 0; i < d->payroll_contracts.n; i++) {
        const struct assignable *c = &d->payroll_contracts.v[i];
        if (c->product == product && str_eq(c->reference, reference) &&
            (names(ids, c->payroll_contract_id) || lists(c, (uint32_t)employment)))
            return true;
    }
    return false;
}

struct list dataset_named(const struct dataset *d, int32_t employment, enum product product)
{
    const struct named *named = &d->named.v[d->employments.v[employment].named];
    return product == PRODUCT_HEALTH ? named->health_contract_ids : named->provident_contract_ids;
}
