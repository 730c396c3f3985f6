#include "load/base.h"

#include <stdlib.h>
#include <string.h>

struct base {
    struct staging_in in;
    struct part_in *part;      /* those from first to number are open */
    int first, number;         /* number: -1 before the first part, n_parts behind the last */
    struct company company;    /* read last */
    bool any;                  /* company is one */
    struct arena arena;        /* of company */
};

bool base_open(struct load *l, struct err *err)
{
    PGresult *result;
    struct err none = {0};
    if (l->base)
        return true;
    if (!load_select(l, &sql_load_last_run, NULL, &result, err))
        return false;
    struct base *b = l->base = mem_alloc(sizeof *b);
    *b = (struct base){.number = -1};
    struct run_info info = {.stage = STAGE_TRANSFORM, .period = l->run->opt.period, .shard = l->run->opt.shard,
                            .shards = l->run->opt.shards};
    bool ok = PQntuples(result) == 1;
    if (ok) {
        info.run_id = arena_printf(&l->arena, "%s", PQgetvalue(result, 0, 0));
        ok = staging_open(&b->in, l->run->staging_dir, &info, &none);
    }
    PQclear(result);
    if (ok)
        b->part = mem_alloc((size_t)b->in.n_parts * sizeof *b->part);
    else
        log_debug("no earlier run to compare with%s%s", *none.text ? ": " : "", none.text);
    return true;
}

/* The next company of the index; false behind the last. What cannot be read ends the search: the rest is then whole. */
static bool advance(struct base *b)
{
    struct err none = {0};
    arena_reset(&b->arena);
    for (;;) {
        b->any = b->number >= 0 && b->number < b->in.n_parts &&
                 part_next_listed(&b->part[b->number], &b->arena, &b->company, &none);
        if (b->any)
            return true;
        if (none.kind != ERR_NONE || b->number >= b->in.n_parts - 1 ||
            !part_open_again(&b->part[b->number + 1], &b->in, b->number + 1, &none)) {
            b->number = b->in.n_parts;
            return false;
        }
        b->number++;
    }
}

/* The rows of what a company brought then, but for those that a closed month leaves out. */
static int64_t rows_of(const struct company *c, bool closed)
{
    int64_t rows = 0;
    for (uint32_t k = 0; k < c->ranges.n; k++) {
        const struct range *range = list_at(c->ranges, sizeof *range, k);
        for (int i = 0; i < n_entities; i++)
            if (str_is(range->entity, entities[i].record->entity) && !(closed && entities[i].scope == SCOPE_MONTH))
                rows += range->rows;
    }
    return rows;
}

const struct base_company *base_find(struct base *b, struct str company_id, const struct known *known, struct arena *a)
{
    if (!b || known->kept)
        return NULL;
    while ((!b->any || str_cmp(b->company.company_id, company_id) < 0) && advance(b))
        ;
    if (!b->any || !str_eq(b->company.company_id, company_id) || b->company.status != COMPANY_OK ||
        rows_of(&b->company, known->closed) != known->rows)
        return NULL;
    struct base_company *ret = arena_alloc(a, sizeof *ret);
    *ret = (struct base_company){.company = company_lines(&b->company, a), .part = &b->part[b->number]};
    memcpy(ret->digest, known->digest, sizeof ret->digest);
    return ret;
}

int base_at(const struct base *b)
{
    return b && b->number > 0 ? b->number : 0;
}

void base_release(struct base *b, int end)
{
    for (; b && b->first < end; b->first++)
        part_close(&b->part[b->first]);
}

void base_close(struct base *b)
{
    if (!b)
        return;
    base_release(b, b->in.n_parts);
    free(b->part);
    staging_close(&b->in);
    arena_free(&b->arena);
    free(b);
}
