#include <stdlib.h>

#include "extract/fetching.h"

const char *request_name(const struct request *r, struct arena *a)
{
    char month[MONTH_TEXT_MAX];
    return arena_printf(a, "%s: company %s: %s%s%s%s%s", r->source->name, r->company->id, r->entity->name,
                        r->establishment ? " of establishment " : "", r->establishment ? r->establishment->siret : "",
                        r->month == MONTH_NONE ? "" : " ", r->month == MONTH_NONE ? "" : month_text(r->month, month));
}

/* Goes over the pages that an earlier process left. */
static bool pages_resume(struct fetching *f, struct fetch_company *c, struct err *err)
{
    struct spool_in in;
    struct page page;
    if (!spool_read(&in, c->spool.path, err))
        return false;
    while (spool_next(&in, &f->scratch, &page)) {
        if (page.request < c->n_lists)
            fetch_list_resume(&c->lists[page.request], &page);
        arena_reset(&f->scratch);
    }
    spool_end(&in);
    return true;
}

static bool spool_resume(struct fetching *f, struct fetch_company *c, struct err *err)
{
    char *path = arena_printf(&c->arena, "%s/%s.spool", f->plan->raw_dir, c->outcome.company->id);
    if (!spool_open(&c->spool, path, err) || (c->spool.kept_bytes && !pages_resume(f, c, err)))
        return false;
    if (f->plan->cache_dir && c->n_left) {
        path = arena_printf(&c->arena, "%s/%s.spool", f->plan->cache_dir, c->outcome.company->id);
        cache_open(&c->cache, path, &c->arena);
    }
    return true;
}

static void outcome_begin(struct fetching *f, struct fetch_company *c, const struct config_company *company)
{
    struct fetch_outcome *o = &c->outcome;
    o->company = company;
    o->n_sources = f->plan->n_sources;
    o->by_source = arena_alloc(&c->arena, sizeof *o->by_source * (size_t)o->n_sources);
    for (int i = 0; i < o->n_sources; i++) {
        o->by_source[i].source = &f->plan->sources[i];
        o->by_source[i].attempted_at = o->by_source[i].synced_at = INSTANT_NONE;
    }
}

struct fetch_company *fetch_company_begin(struct fetching *f, const struct config_company *company, struct err *err)
{
    const struct fetch_plan *plan = f->plan;
    struct fetch_company *c = mem_alloc(sizeof *c);
    month_t first = f->report ? plan->last : plan->first;
    c->requests = source_requests(plan->sources, plan->n_sources, company, first, plan->last, &c->arena, &c->n_lists);
    c->n_left = c->n_lists;
    c->lists = arena_alloc(&c->arena, sizeof *c->lists * (size_t)c->n_lists);
    for (int i = 0; i < c->n_lists; i++)
        fetch_list_begin(&c->lists[i], f, c, i);
    outcome_begin(f, c, company);
    c->outcome.requests = c->requests;
    c->outcome.n_requests = c->n_lists;
    if (!f->report && !spool_resume(f, c, err)) {
        fetch_company_free(c);
        return NULL;
    }
    return c;
}

void fetch_company_free(struct fetch_company *c)
{
    for (int i = 0; i < c->n_lists; i++)
        if (c->lists[i].token)
            token_leave(c->lists[i].token);
    spool_close(&c->spool);
    cache_close(&c->cache);
    arena_free(&c->arena);
    free(c);
}

/* A source is as fresh as its stalest list; one that has no lists for this company was not asked. */
static void outcome_end(struct fetch_company *c)
{
    struct fetch_outcome *o = &c->outcome;
    for (int s = 0; s < o->n_sources; s++) {
        instant_t oldest = INSTANT_NONE;
        for (int i = 0; i < c->n_lists; i++)
            if (c->requests[i].source == o->by_source[s].source &&
                (oldest == INSTANT_NONE || c->lists[i].done_at < oldest))
                oldest = c->lists[i].done_at;
        if (o->by_source[s].failed)
            o->failed |= !o->by_source[s].source->optional;
        else
            o->by_source[s].synced_at = oldest;
        if (o->by_source[s].attempted_at == INSTANT_NONE)
            o->by_source[s].attempted_at = oldest;
    }
}

void fetch_company_end(struct fetching *f, struct fetch_company *c)
{
    outcome_end(c);
    spool_close(&c->spool);
    if (!f->report)
        f->plan->company_done(f->plan->arg, &c->outcome);
    fetch_company_free(c);
}
